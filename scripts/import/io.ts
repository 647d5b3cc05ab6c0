/** What an import needs of the world around it. */
export interface ImportIo {
  readonly fetch: (url: string, init: UploadInit) => Promise<Response>;
  /** Milliseconds since 1970. */
  readonly now: () => number;
  readonly sleep: (milliseconds: number) => Promise<void>;
  /** From 0 up to, not including, 1. */
  readonly random: () => number;
  readonly out: Output;
}

export interface UploadInit {
  readonly method: 'POST';
  readonly headers: Record<string, string>;
  readonly body: Uint8Array<ArrayBuffer>;
  readonly signal: AbortSignal;
}

export interface Output {
  /** Whether a progress bar can be drawn. */
  readonly isTerminal: boolean;
  readonly write: (text: string) => void;
}

/** @param stream where progress and messages go */
export function realIo(stream: NodeJS.WriteStream): ImportIo {
  return {
    fetch: (url, init) => fetch(url, init),
    now: () => Date.now(),
    sleep: (milliseconds) => new Promise((resolve) => setTimeout(resolve, milliseconds)),
    random: () => Math.random(),
    out: { isTerminal: stream.isTTY === true, write: (text) => stream.write(text) },
  };
}
