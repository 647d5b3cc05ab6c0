/** What the caller of an upload can be told, each answered with another HTTP status. */
export type BodyErrorCode = 'invalid-body' | 'payload-too-large' | 'unsupported-media-type';

/** Advice for a sender whose line ends were stripped. */
export const LINE_ENDS_LOST = 'line ends may be lost: curl -d strips them, curl --data-binary does not';

/** The whole upload is refused and nothing of it is stored: 400, 413 or 415 by `code`. The sender has to change it. */
export class BodyError extends Error {
  readonly code: BodyErrorCode;
  /** What was expected and what was found, for the sender; never a number or a link. */
  readonly detail: string;

  constructor(code: BodyErrorCode, detail: string) {
    super(`${code}: ${detail}`);
    this.name = 'BodyError';
    this.code = code;
    this.detail = detail;
  }
}
