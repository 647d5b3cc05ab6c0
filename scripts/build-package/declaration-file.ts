/** A declaration file as tsc writes it, read by statement; anything else is refused. */
import { BuildError } from './entries.ts';

/** `imported` under the name `local`, from another file or package. */
export interface Specifier {
  readonly imported: string;
  readonly local: string;
  /** As it stood, `type` and `as` included. */
  readonly text: string;
}

export type Statement =
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
export function readDeclarations(path: string, text: string): readonly Statement[] {
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
export function namesIn(text: string): ReadonlySet<string> {
  return new Set(codeOf(text).match(/[A-Za-z_$][\w$]*/g));
}
