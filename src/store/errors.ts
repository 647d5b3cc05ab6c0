/** The storage did not answer, so nothing can be promised: 503. The sender should try again, as `detail` says. */
export class StorageUnavailable extends Error {
  readonly detail: string;

  constructor(detail: string, cause?: unknown) {
    super(detail, { cause });
    this.name = 'StorageUnavailable';
    this.detail = detail;
  }
}

/**
 * Work that does nothing but read or write storage, so that whatever it rejects with is storage's doing.
 * @param isOther tells errors that it throws on purpose; those pass
 */
export async function orUnavailable<T>(
  work: Promise<T>,
  isOther: (error: unknown) => boolean = () => false,
): Promise<T> {
  try {
    return await work;
  } catch (error) {
    if (error instanceof StorageUnavailable || isOther(error)) throw error;
    throw new StorageUnavailable('the storage did not answer; try again', error);
  }
}
