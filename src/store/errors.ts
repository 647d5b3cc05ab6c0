/** The storage did not answer, so nothing can be promised: 503. The sender should try again, as `detail` says. */
export class StorageUnavailable extends Error {
  readonly detail: string;

  constructor(detail: string, cause?: unknown) {
    super(detail, { cause });
    this.name = 'StorageUnavailable';
    this.detail = detail;
  }
}
