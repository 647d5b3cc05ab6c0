/** Asks a server that is there and expected to agree, for what it answers as JSON. */
import { CommandError, refusalText } from './errors.ts';

interface Asked extends RequestInit {
  readonly key?: string;
  /** Sent by POST, unless a method is given. */
  readonly json?: unknown;
}

/** @throws CommandError naming the path, without its query, and the status, unless it is one of success */
export async function askJson<Answer>(address: string, { key, json, ...init }: Asked = {}): Promise<Answer> {
  const headers = new Headers(init.headers);
  if (key !== undefined) headers.set('authorization', `Bearer ${key}`);
  if (json !== undefined) headers.set('content-type', 'application/json');
  const sent = json === undefined ? init : { method: 'POST', body: JSON.stringify(json), ...init };
  const response = await fetch(address, { ...sent, headers });
  if (!response.ok) throw new CommandError(`${new URL(address).pathname}: ${await refusalText(response)}`);
  return (await response.json()) as Answer;
}
