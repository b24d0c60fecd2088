// What tests of applications and authors of drivers use. What is not named here is not public.

export { driverContract } from './contract/driver-contract.js';
export type { TestRunner } from './contract/runner.js';
export type { Capabilities, ConnectOptions, DriverUnderTest, OpenSubject } from './contract/subject.js';
export { FakeClock } from './fake-clock.js';
export { createTestClient } from './test-client.js';
export type { TestClient, TestClientOptions } from './test-client.js';
export { TestValkeyModule, testClientToken } from './test-valkey-module.js';
export type { TestValkeyModuleOptions } from './test-valkey-module.js';
export { TestStore } from './test-store.js';
export type { TestStoreOptions } from './test-store.js';
export { recordingClient } from './recording-client.js';
export type { RecordingClient, RecordingClientOptions } from './recording-client.js';
export { RecordingDriver } from './recording-driver.js';
export type { ProgrammedReply, RecordedOperation } from './recording-driver.js';
export type { Occasion } from './programme.js';
