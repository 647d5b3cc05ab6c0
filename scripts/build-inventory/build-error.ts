import { CommandError } from '../command/errors.ts';

/** Why a build could not go on, by what the person at the terminal does about it. */
export type BuildErrorCode =
  /** The command line, or an input that is not what its name says. */
  | 'invalid-request'
  /** A file cannot be read as a whole: no such file, no header, not gzip, not UTF-8. */
  | 'invalid-input'
  /** The files changed since the build began, or the work folder belongs to another build. */
  | 'other-build'
  /** No row was accepted, so there is nothing to publish. */
  | 'no-detections'
  /** The store already has an inventory. */
  | 'store-not-empty'
  /** Another writer changed the store while it was built. */
  | 'store-changed'
  /** Segments that wait too long to be published are cleared away. */
  | 'upload-too-slow'
  /** What the work folder holds is damaged. */
  | 'damaged-work';

/**
 * Ends a build with a message for the person at the terminal. Nothing is published unless the message says so; what is
 * done so far stays in the work folder.
 */
export class BuildError extends CommandError {
  override readonly name = 'BuildError';
  readonly code: BuildErrorCode;

  constructor(code: BuildErrorCode, detail: string, options?: ErrorOptions) {
    super(`${code}: ${detail}`, options);
    this.code = code;
  }
}

/** A file of the work folder is not as this build left it. */
export function damagedWork(name: string, cause?: unknown): BuildError {
  const detail = `${name} is not what was written: delete the work folder and start again`;
  return new BuildError('damaged-work', detail, { cause });
}
