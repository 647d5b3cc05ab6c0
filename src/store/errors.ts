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
 * Runs work that does nothing but read or write storage, and so turns every error into StorageUnavailable.
 * @param isOther recognizes errors that the work throws on purpose; those are passed on
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
