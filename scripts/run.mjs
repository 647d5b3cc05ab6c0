/**
 * `node scripts/run.mjs SCRIPT ARGUMENTS...`: runs a script of the project, or says what is missing to do so. It is
 * JavaScript of the plainest kind and needs nothing installed, since it is what runs when nothing is: on any Node from
 * 18, before `npm install`, after one without development dependencies, or after one without install scripts.
 */
import { existsSync, readdirSync } from 'node:fs';
import { dirname, join, resolve } from 'node:path';
import process from 'node:process';
import { fileURLToPath, pathToFileURL } from 'node:url';

const PROJECT = dirname(dirname(fileURLToPath(import.meta.url)));
/** Scripts are TypeScript, which Node runs as it is; this is the version that the project brings. */
const NODE_MAJOR = 24;
/** One of each that the scripts cannot do without. */
const NEEDED = ['wrangler', 'valibot', 'esbuild', 'miniflare'];

/** @param {string} modules the folder node_modules */
function problem(modules) {
  if (!NEEDED.every((name) => existsSync(join(modules, name)))) {
    const wasInstalled = existsSync(join(modules, '.package-lock.json'));
    return wasInstalled || process.env.NODE_ENV === 'production'
      ? 'the development dependencies are missing, which Ringfence runs on (NODE_ENV=production, or --omit=dev): run `npm install --include=dev`'
      : 'the dependencies are not installed yet: run `npm install` first';
  }
  if (Number(process.versions.node.split('.')[0]) < NODE_MAJOR) {
    return existsSync(join(modules, 'node', 'bin', 'node')) || existsSync(join(modules, 'node', 'bin', 'node.exe'))
      ? `this is Node ${process.versions.node}, and the Node ${NODE_MAJOR} of the project was not used: run it with \`npm start\` or \`npm run\``
      : `Node ${NODE_MAJOR} is missing, which an install script puts in place (npm ran with --ignore-scripts): run \`npm rebuild --ignore-scripts=false\``;
  }
  for (const [scope, prefix] of [
    ['@cloudflare', 'workerd-'],
    ['@esbuild', ''],
  ]) {
    const folder = join(modules, scope);
    const names = existsSync(folder) ? readdirSync(folder) : [];
    if (names.some((name) => name.startsWith(prefix) && existsSync(join(folder, name, 'package.json')))) continue;
    return `the program of ${prefix ? 'workerd' : 'esbuild'} for this machine is missing: run \`npm install --include=optional\``;
  }
  return null;
}

const [script, ...args] = process.argv.slice(2);
if (script === undefined) {
  console.error('expected the path of a script');
  process.exitCode = 2;
} else {
  const found = problem(join(PROJECT, 'node_modules'));
  if (found === null) {
    const path = resolve(PROJECT, script);
    process.argv = [process.argv[0], path, ...args];
    await import(pathToFileURL(path).href);
  } else {
    console.error(found);
    process.exitCode = 1;
  }
}
