/** One run for everything; a folder name narrows it: `npm test -- test/unit`. */
export default {
  testEnvironment: 'node',
  roots: ['<rootDir>/test'],
  testMatch: ['**/*.test.ts'],
  extensionsToTreatAsEsm: ['.ts'],
  transform: {
    '^.+\\.ts$': [
      '@swc/jest',
      {
        jsc: {
          parser: { syntax: 'typescript', decorators: true },
          transform: { legacyDecorator: true, decoratorMetadata: true },
          target: 'es2022',
          keepClassNames: true,
        },
        module: { type: 'es6' },
        sourceMaps: 'inline',
      },
    ],
  },
  moduleNameMapper: {
    '^(\\.{1,2}/.*)\\.js$': '$1',
    '^nestjs-valkey$': '<rootDir>/lib/index.ts',
    '^nestjs-valkey/(testing|prometheus|opentelemetry|keyv|msgpack|throttler)$': '<rootDir>/lib/$1/index.ts',
    '^nestjs-valkey/terminus$': '<rootDir>/lib/nest/terminus/index.ts',
  },
  modulePathIgnorePatterns: ['<rootDir>/dist'],
  coverageProvider: 'v8',
  collectCoverageFrom: ['lib/**/*.ts'],
  coverageDirectory: 'coverage',
  testTimeout: 20_000,
  maxWorkers: 2,
};
