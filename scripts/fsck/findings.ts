/** What the checks found: how much each looked at, and its problems, the first few of them in words. */

export type Severity = 'error' | 'warning';

export interface Problem {
  readonly severity: Severity;
  /** Of the object in the bucket, or of the slice in KV. Never a phone number. */
  readonly key: string;
  /** What is wrong with it. Never a phone number. */
  readonly what: string;
  /** What to do about it. */
  readonly remedy: string;
}

/** Problems of one check that are told one by one; the rest are counted, so that no check hides the others. */
export const PROBLEMS_TOLD = 20;

export class Check {
  readonly title: string;
  /** How many things were looked at. */
  looked = 0;
  errors = 0;
  warnings = 0;
  readonly problems: Problem[] = [];
  #skipped: string | null = null;

  constructor(title: string) {
    this.title = title;
  }

  /** Why the check was not made, or not to its end; null if it was. */
  get skipped(): string | null {
    return this.#skipped;
  }

  /** Something is lost, wrong, or will become so. */
  error(key: string, what: string, remedy: string): void {
    this.errors += 1;
    this.#tell({ severity: 'error', key, what, remedy });
  }

  /** Something is not as it should be, but no answer is wrong for it. */
  warning(key: string, what: string, remedy: string): void {
    this.warnings += 1;
    this.#tell({ severity: 'warning', key, what, remedy });
  }

  /** The check cannot be made. There must be an error elsewhere that says what stands in its way. */
  skip(reason: string): void {
    this.#skipped = reason;
  }

  #tell(problem: Problem): void {
    if (this.problems.length < PROBLEMS_TOLD) this.problems.push(problem);
  }
}

export class Findings {
  readonly checks: Check[] = [];
  /** What is neither right nor wrong, in the order it was counted. */
  readonly counts = new Map<string, number>();

  begin(title: string): Check {
    const check = new Check(title);
    this.checks.push(check);
    return check;
  }

  count(name: string, value: number): void {
    this.counts.set(name, (this.counts.get(name) ?? 0) + value);
  }

  get errors(): number {
    return this.checks.reduce((sum, { errors }) => sum + errors, 0);
  }

  get warnings(): number {
    return this.checks.reduce((sum, { warnings }) => sum + warnings, 0);
  }

  get isSound(): boolean {
    return this.errors === 0;
  }
}
