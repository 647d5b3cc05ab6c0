/** The declarations of the package: those statements of tsc's files that an entry leads to. */
import { dirname, join } from 'node:path/posix';
import { BuildError } from './entries.ts';

// A declaration file as tsc writes it, read by statement; anything else is refused.

/** `imported` under the name `local`, from another file or package. */
interface Specifier {
  readonly imported: string;
  readonly local: string;
  /** As it stood, `type` and `as` included. */
  readonly text: string;
}

type Statement =
  | { readonly kind: 'declaration'; readonly name: string; readonly isExported: boolean; readonly text: string }
  | {
      readonly kind: 'import' | 'export';
      readonly head: string;
      readonly names: readonly Specifier[];
      readonly from: string | null;
    }
  | { readonly kind: 'namespace'; readonly local: string; readonly from: string; readonly text: string }
  | { readonly kind: 'star'; readonly from: string; readonly text: string };

const DECLARATION =
  /^(export )?(?:declare )?(?:abstract )?(?:class|interface|type|const|let|function|enum|namespace) ([\w$]+)/;
/** They end in a bracket, all others in a semicolon. */
const BLOCK = /^(?:export )?(?:declare )?(?:abstract )?(?:class|interface|enum|namespace) /;
const NAMES = /^((import|export)(?: type)?) \{(.*)\}(?: from ['"](.+)['"])?;$/s;
const NAMESPACE = /^import (?:type )?\* as ([\w$]+) from ['"](.+)['"];$/;
const STAR = /^export (?:type )?\* from ['"](.+)['"];$/;
const SPECIFIER = /^(?:type )?([\w$]+)(?: as ([\w$]+))?$/;

/** @throws BuildError */
function readDeclarations(path: string, text: string): readonly Statement[] {
  return chunks(path, text).flatMap((chunk) => {
    const code = chunk.replace(/^(?:\/\*.*?\*\/\s*)+/s, '');
    return code === 'export {};' ? [] : statement(path, chunk, code);
  });
}

/** Statements with the comments before them. */
function chunks(path: string, text: string): readonly string[] {
  const found: string[] = [];
  let lines: string[] = [];
  for (const line of text.split('\n')) {
    lines.push(line);
    if (!isWhole(codeOf(lines.join('\n')).trim())) continue;
    found.push(lines.join('\n').replace(/^\n+/, ''));
    lines = [];
  }
  // A comment at the end belongs to nothing.
  if (codeOf(lines.join('\n')).trim() !== '') throw new BuildError(`${path}: expected whole statements`);
  return found;
}

function isWhole(code: string): boolean {
  const opened = code.match(/[{([]/g)?.length ?? 0;
  const closed = code.match(/[})\]]/g)?.length ?? 0;
  return opened === closed && code.endsWith(BLOCK.test(code) ? '}' : ';');
}

/** Without comments and texts, whose words and brackets count for nothing. An open comment swallows the rest. */
function codeOf(text: string): string {
  return text.replace(/\/\*.*?(?:\*\/|$)/gs, '').replace(/'[^'\n]*'|"[^"\n]*"/g, '');
}

function statement(path: string, text: string, code: string): Statement {
  const star = STAR.exec(code)?.[1];
  if (star !== undefined) return { kind: 'star', from: star, text };
  const namespace = NAMESPACE.exec(code);
  if (namespace?.[1] !== undefined && namespace[2] !== undefined) {
    return { kind: 'namespace', local: namespace[1], from: namespace[2], text };
  }
  const names = NAMES.exec(code);
  if (names !== null) {
    const [, head = '', keyword, list = '', from = null] = names;
    const specifiers = list.split(',').flatMap((part) => (part.trim() === '' ? [] : specifier(path, part.trim())));
    return { kind: keyword === 'import' ? 'import' : 'export', head, names: specifiers, from };
  }
  const declaration = DECLARATION.exec(code);
  if (declaration?.[2] === undefined) {
    throw new BuildError(`${path}: expected a declaration as tsc writes it; found ${code.split('\n')[0]}`);
  }
  return { kind: 'declaration', name: declaration[2], isExported: declaration[1] !== undefined, text };
}

function specifier(path: string, text: string): Specifier {
  const [, imported, local = imported] = SPECIFIER.exec(text) ?? [];
  if (imported === undefined || local === undefined) throw new BuildError(`${path}: expected a name; found ${text}`);
  return { imported, local, text };
}

/** Every name that a declaration may refer to: too many do no harm. */
function namesIn(text: string): ReadonlySet<string> {
  return new Set(codeOf(text).match(/[A-Za-z_$][\w$]*/g));
}

// What of the declarations an entry leads to. Modules are imported for their code, and their declarations then name
// packages that a user of the package does not have, for things that no public type leads to. Those are left out.

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

/**
 * The files with what is kept of them. Imports name the module as it would be at run time, which every tool resolves.
 */
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
