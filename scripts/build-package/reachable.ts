/**
 * What of the declarations an entry leads to. Modules are imported for their code, and their declarations then name
 * packages that a user of the package does not have, for things that no public type leads to. Those are left out.
 */
import { dirname, join } from 'node:path/posix';
import { namesIn, readDeclarations, type Statement } from './declaration-file.ts';
import { BuildError } from './entries.ts';

/**
 * Types of Workers in public declarations. Where Cloudflare's types are installed the empty interface merges with what
 * they declare and adds nothing; elsewhere it stands for them.
 */
const PLATFORM_TYPES = ['R2Bucket'];

/** By path from the folder of all, such as `client/index.d.ts`. */
export type Files = ReadonlyMap<string, readonly Statement[]>;

export function readFiles(texts: ReadonlyMap<string, string>): Files {
  return new Map([...texts].map(([path, text]) => [path, readDeclarations(path, text)]));
}

/** Names kept, by file: those declared there and those imported there. */
export class Reachable {
  readonly kept = new Map<string, Set<string>>();
  /** Packages that are named, each with a file that names it. */
  readonly packages = new Map<string, string>();
  readonly #files: Files;

  constructor(files: Files, entries: readonly string[]) {
    this.#files = files;
    for (const entry of entries) this.#keepAllExports(entry);
  }

  #statements(path: string): readonly Statement[] {
    const statements = this.#files.get(path);
    if (statements === undefined) throw new BuildError(`expected declarations in ${path}`);
    return statements;
  }

  #keepAllExports(path: string): void {
    this.#namesOf(path);
    for (const statement of this.#statements(path)) {
      if (statement.kind === 'star') this.#keepAllExports(targetOf(path, statement.from));
      if (statement.kind === 'declaration' && statement.isExported) this.#keepName(path, statement.name);
      if (statement.kind === 'export') for (const { local } of statement.names) this.#keepExport(path, local);
    }
  }

  /** @returns whether the file has such an export */
  #keepExport(path: string, name: string): boolean {
    for (const statement of this.#statements(path)) {
      if (statement.kind === 'declaration' && statement.isExported && statement.name === name) {
        this.#keepName(path, name);
        return true;
      }
      const specifier = statement.kind === 'export' ? statement.names.find(({ local }) => local === name) : undefined;
      if (statement.kind === 'export' && specifier !== undefined) {
        this.#namesOf(path).add(name);
        if (statement.from === null) this.#keepName(path, specifier.imported);
        else this.#follow(path, statement.from, specifier.imported);
        return true;
      }
    }
    const stars = this.#statements(path).filter((statement) => statement.kind === 'star');
    return stars.some(({ from }) => this.#keepExport(targetOf(path, from), name));
  }

  /** A name as it is used within the file; one of the platform's is not found, and needs nothing. */
  #keepName(path: string, name: string): void {
    const names = this.#namesOf(path);
    if (names.has(`local ${name}`)) return;
    for (const statement of this.#statements(path)) {
      if (statement.kind === 'declaration' && statement.name === name) {
        names.add(`local ${name}`);
        for (const used of namesIn(statement.text)) this.#keepName(path, used);
      } else if (statement.kind === 'import') {
        const specifier = statement.names.find(({ local }) => local === name);
        if (specifier === undefined || statement.from === null) continue;
        names.add(`local ${name}`);
        this.#follow(path, statement.from, specifier.imported);
      } else if (statement.kind === 'namespace' && statement.local === name) {
        names.add(`local ${name}`);
        if (isPackage(statement.from)) this.packages.set(statement.from, path);
        else this.#keepAllExports(targetOf(path, statement.from));
      }
    }
  }

  #follow(path: string, from: string, name: string): void {
    if (isPackage(from)) this.packages.set(from, path);
    else if (!this.#keepExport(targetOf(path, from), name)) {
      throw new BuildError(`${path}: expected an export ${name} of ${from}`);
    }
  }

  #namesOf(path: string): Set<string> {
    const names = this.kept.get(path) ?? new Set();
    this.kept.set(path, names);
    return names;
  }
}

/** The files with what is kept of them. Imports name the module as it would be at run time, which every tool resolves. */
export function printFiles(files: Files, { kept }: Reachable): ReadonlyMap<string, string> {
  const printed = new Map<string, string>();
  for (const [path, names] of kept) {
    const parts = (files.get(path) ?? []).flatMap((statement) => print(path, statement, names, kept));
    // Without an export of its own the file would be a script, and its names global.
    printed.set(path, `${[...parts, ...platformTypes(parts), 'export {};'].join('\n')}\n`);
  }
  return printed;
}

function platformTypes(parts: readonly string[]): readonly string[] {
  const used = namesIn(parts.join('\n'));
  const found = PLATFORM_TYPES.filter((name) => used.has(name));
  return found.map((name) => `declare global {\n    interface ${name} {\n    }\n}`);
}

function print(
  path: string,
  statement: Statement,
  names: ReadonlySet<string>,
  kept: ReadonlyMap<string, unknown>,
): string | readonly string[] {
  if (statement.kind === 'declaration') return names.has(`local ${statement.name}`) ? statement.text : [];
  if (statement.kind === 'namespace') return names.has(`local ${statement.local}`) ? asJs(statement.text) : [];
  if (statement.kind === 'star') return kept.has(targetOf(path, statement.from)) ? asJs(statement.text) : [];
  const { head, from } = statement;
  const used = statement.names.filter(({ local }) => names.has(statement.kind === 'import' ? `local ${local}` : local));
  if (used.length === 0) return [];
  return asJs(`${head} { ${used.map(({ text }) => text).join(', ')} }${from === null ? '' : ` from '${from}'`};`);
}

function asJs(text: string): string {
  return text.replace(/(from ['"]\..*)\.ts(['"];)$/, '$1.js$2');
}

function isPackage(from: string): boolean {
  return !from.startsWith('.');
}

function targetOf(path: string, from: string): string {
  return join(dirname(path), from).replace(/\.[jt]s$/, '.d.ts');
}
