/**
 * Why a sync did not end. In each case what was held before goes on answering.
 *
 * | code | what to do |
 * | --- | --- |
 * | refused | the key is not valid, or lacks the scope `feed`: set another |
 * | unavailable | nothing: the next sync tries again |
 * | invalid | the origin sent what no replica of this version can use: is it the right URL, and this package up to date? |
 * | outdated | the origin is of a version before this package's, and sends no compiled policy: deploy the origin anew |
 * | older | nothing: the origin answers with an older generation than is held; if it keeps to it, it is followed |
 */
export type ReplicaErrorCode = 'refused' | 'unavailable' | 'invalid' | 'outdated' | 'older';

export class ReplicaError extends Error {
  override readonly name = 'ReplicaError';
  readonly code: ReplicaErrorCode;

  constructor(code: ReplicaErrorCode, detail: string, cause?: unknown) {
    super(`${code}: ${detail}`, { cause });
    this.code = code;
  }
}
