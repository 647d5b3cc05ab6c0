/** Why a policy is refused, and where. */
/** The place of a character in a rule's expression. */
export interface Position {
  /** UTF-16 units from 0, as JS and JSON count them. */
  readonly offset: number;
  /** From 1; `\n` ends a line. */
  readonly line: number;
  /** From 1, in UTF-16 units. */
  readonly column: number;
}

export class PolicyError extends Error {
  override readonly name = 'PolicyError';
  /** Id of the rule at fault, or its place such as `rules[3]` if the id itself is wrong. */
  readonly rule: string;
  /** null: the fault is not inside an expression. */
  readonly position: Position | null;
  /** "expected …"; of the expression it quotes at most an identifier or types. */
  readonly detail: string;

  constructor(rule: string, position: Position | null, detail: string) {
    super(`${rule}${position === null ? '' : `, line ${position.line}, column ${position.column}`}: ${detail}`);
    this.rule = rule;
    this.position = position;
    this.detail = detail;
  }
}

/** Thrown while one expression is parsed, by code that does not know which rule it belongs to. */
export class Refusal extends Error {
  override readonly name = 'Refusal';
  readonly offset: number;

  constructor(offset: number, detail: string) {
    super(detail);
    this.offset = offset;
  }
}

export function positionOf(text: string, offset: number): Position {
  const before = text.slice(0, offset);
  const line = before.split('\n').length;
  return { offset, line, column: offset - before.lastIndexOf('\n') };
}
