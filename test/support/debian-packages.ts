import { spawnSync } from 'node:child_process';
import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  readdirSync,
  renameSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { userInfo } from 'node:os';
import { dirname, join } from 'node:path';

/**
 * Unpacks Valkey from the machine's own Debian source into `target`, without root and without touching the system.
 *
 * Two processes may do it at once: each builds in a directory of its own and the first to rename wins.
 *
 * @throws Error that says which step failed.
 */
export function fetchDebianValkey(target: string): void {
  mkdirSync(dirname(target), { recursive: true });
  const workshop = mkdtempSync(`${target}-`);
  try {
    const apt = prepareApt(workshop);
    const root = join(workshop, 'root');
    // An update that fails for one suite still leaves the lists of the others, so the download decides.
    const update = run('apt-get', [...apt, '-qq', 'update'], workshop);
    const problem = unpack(apt, ['valkey-tools', 'valkey-server'], workshop, root);
    if (problem) throw new Error(`${problem}${update ? ` (after: ${update})` : ''}`);
    unpackMissingLibraries(apt, workshop, root);
    const failure = failureOf(root);
    if (failure) throw new Error(failure);
    moveInto(root, target);
  } finally {
    rmSync(workshop, { recursive: true, force: true });
  }
}

/** Why the server unpacked in `root` does not run; undefined if it does. */
export function failureOf(root: string): string | undefined {
  return run(join(root, 'usr/bin/valkey-server'), ['--version'], root, libraryPath(root));
}

/** The folder of unpacked shared libraries, for LD_LIBRARY_PATH; undefined when the system's own suffice. */
export function libraryPath(root: string): string | undefined {
  const lib = join(root, 'usr/lib');
  if (!existsSync(lib)) return undefined;
  const folders = readdirSync(lib).map((triplet) => join(lib, triplet));
  return folders.find((folder) => readdirSync(folder).some((file) => file.includes('.so')));
}

/** Writes source lists and gives the options that make apt use those and keep all its state in the workshop. */
function prepareApt(workshop: string): string[] {
  const codename = /^VERSION_CODENAME=(.+)$/m.exec(readFileSync('/etc/os-release', 'utf8'))?.[1];
  if (!codename) throw new Error('/etc/os-release names no VERSION_CODENAME');
  const parts = join(workshop, 'sources');
  for (const room of ['sources', 'lists/partial', 'cache/archives/partial', 'packages']) {
    mkdirSync(join(workshop, room), { recursive: true });
  }
  const folder = '/etc/apt/sources.list.d';
  const files = existsSync(folder) ? readdirSync(folder).map((file) => join(folder, file)) : [];
  for (const file of ['/etc/apt/sources.list', ...files].filter((candidate) => existsSync(candidate))) {
    const name = file.slice(file.lastIndexOf('/') + 1);
    const text = readFileSync(file, 'utf8');
    if (name.endsWith('.sources')) writeFileSync(join(parts, name), withBackports(text, codename));
    if (name.endsWith('.list')) writeFileSync(join(parts, name), withBackportsLine(text, codename));
  }
  const options = {
    'Dir::Etc::sourcelist': '/dev/null',
    'Dir::Etc::sourceparts': parts,
    'Dir::State::lists': join(workshop, 'lists'),
    'Dir::Cache': join(workshop, 'cache'),
    'APT::Sandbox::User': userInfo().username,
    'Acquire::Languages': 'none',
    'Acquire::Retries': '1',
    'Acquire::http::Timeout': '10',
    'Acquire::https::Timeout': '10',
  };
  return Object.entries(options).flatMap(([name, value]) => ['-o', `${name}=${value}`]);
}

/** Adds `<codename>-backports`, where Valkey lives in bookworm, to the main archive's stanza (deb822 form). */
function withBackports(text: string, codename: string): string {
  const suite = `${codename}-backports`;
  return text.replace(/^Suites:(.*)$/gm, (line, suites: string) => {
    const names = suites.trim().split(/\s+/);
    return names.includes(codename) && !names.includes(suite) ? `${line} ${suite}` : line;
  });
}

/** The same for the one-line form: `deb [options] address suite components`. */
function withBackportsLine(text: string, codename: string): string {
  const line = new RegExp(String.raw`^(deb\s+(?:\[[^\]]*\]\s+)?\S+\s+)${codename}(\s.*)$`, 'gm');
  return text.replace(line, `$&\n$1${codename}-backports$2`);
}

function unpack(apt: readonly string[], names: readonly string[], workshop: string, root: string): string | undefined {
  const packages = join(workshop, 'packages');
  const download = run('apt-get', [...apt, '-qq', 'download', ...names], packages);
  if (download) return download;
  for (const file of readdirSync(packages)) {
    const extract = run('dpkg-deb', ['-x', join(packages, file), root], workshop);
    if (extract) return extract;
    rmSync(join(packages, file));
  }
  return undefined;
}

function unpackMissingLibraries(apt: readonly string[], workshop: string, root: string): void {
  // A library can need another one in turn; three rounds are one more than was ever needed.
  for (let round = 0; round < 3; round++) {
    const path = libraryPath(root);
    const env = { ...process.env, ...(path ? { LD_LIBRARY_PATH: path } : {}) };
    const ldd = spawnSync('ldd', [join(root, 'usr/bin/valkey-server')], { encoding: 'utf8', env });
    const missing = [...ldd.stdout.matchAll(/^\s*(\S+)\.so\.(\d+)\S* => not found/gm)];
    if (missing.length === 0) return;
    // Debian names a library's package after its soname: libjemalloc.so.2 is in libjemalloc2.
    const names = missing.map(([, name = '', version = '']) => `${name}${/\d$/.test(name) ? '-' : ''}${version}`);
    const problem = unpack(apt, names, workshop, root);
    if (problem) throw new Error(problem);
  }
}

function moveInto(root: string, target: string): void {
  try {
    renameSync(root, target);
  } catch (error) {
    if (!existsSync(target)) throw error;
  }
}

/** Runs a program to its end; gives the problem in one line, undefined when there was none. */
function run(program: string, args: readonly string[], cwd: string, libraries?: string): string | undefined {
  const env = { ...process.env, ...(libraries ? { LD_LIBRARY_PATH: libraries } : {}) };
  const { status, stderr, error } = spawnSync(program, args, { cwd, encoding: 'utf8', env, timeout: 90_000 });
  if (status === 0) return undefined;
  const said = error?.message ?? stderr.trim().split('\n').at(-1) ?? '';
  return `${program.slice(program.lastIndexOf('/') + 1)} failed: ${said}`;
}
