/**
 * Faults that are known and not mended yet. A seed that meets one of them goes on, so that the others can be hunted. To be
 * empty at every release.
 */
export interface KnownFault {
  readonly name: string;
  readonly invariant: string;
  /** Of the detail; absent: any. */
  readonly detail?: RegExp;
  /** The store is not what it should be from then on: the seed ends, and counts as passed. */
  readonly isLasting?: true;
}

export const KNOWN: readonly KnownFault[] = [];

export function knownFault(invariant: string, detail: string): KnownFault | undefined {
  return KNOWN.find((fault) => fault.invariant === invariant && (fault.detail?.test(detail) ?? true));
}
