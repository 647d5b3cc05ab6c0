/**
 * How many distinct attributes one upload may have. A merge holds each of them as text, several times
 * over, where a detection takes 24 bytes: without a bound, an upload of a few megabytes takes more memory than a tick
 * has. Lines beyond it are rejected with the reason, to be sent in another upload.
 */
import type { Detection } from '../format/detection.ts';
import { MAX_UPLOAD_KINDS, MAX_UPLOAD_SOURCES, MAX_UPLOAD_TEXT_BYTES } from './limits.ts';
import { Rejection } from './rejection.ts';
import type { SourceTally } from './source-tally.ts';

const WIDE = /[^\0-\xff]/;

export class UploadAttributes {
  readonly #tally: SourceTally;
  readonly #kinds = new Set<string>();
  #textBytes = 0;
  /** Why the last one was not admitted. */
  refusal = tooMany('nothing');

  constructor(tally: SourceTally) {
    this.#tally = tally;
  }

  /**
   * Called once for each distinct set of attributes, so that repeated ones cost nothing.
   * @param text of the detection's attributes
   */
  admits({ source, link }: Detection, text: string): boolean {
    if (!this.#tally.hasRoomFor(source)) return this.#refuse(`${MAX_UPLOAD_SOURCES} different sources`);
    const kind = link === null ? text : text.replace(link.sha256, '');
    if (!this.#kinds.has(kind) && this.#kinds.size >= MAX_UPLOAD_KINDS) {
      return this.#refuse(`${MAX_UPLOAD_KINDS} combinations of label, channel, industry, project, host and source`);
    }
    const textBytes = text.length * (WIDE.test(text) ? 2 : 1);
    if (this.#textBytes + textBytes > MAX_UPLOAD_TEXT_BYTES) {
      return this.#refuse(`${MAX_UPLOAD_TEXT_BYTES / 2 ** 20} MiB of different circumstances`);
    }
    this.#kinds.add(kind);
    this.#textBytes += textBytes;
    return true;
  }

  #refuse(most: string): false {
    this.refusal = tooMany(most);
    return false;
  }
}

function tooMany(most: string): Rejection {
  const detail = `expected at most ${most} in an upload; found more: send the line in another`;
  return new Rejection('too-many-attributes', detail);
}
