/** One module on bare workerd: what a Worker of a user runs on, without the development server around it. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { join } from 'node:path';
import type { Readable } from 'node:stream';
import { listeningPort } from '../../../bench/support/listening-port.ts';

const START_LIMIT_MS = 20_000;

/** What the Worker `worker.js` in the folder answers. */
export async function answerOfWorkerd(folder: string, project: string): Promise<unknown> {
  const config = join(folder, 'workerd.capnp');
  writeFileSync(config, configuration(project));
  const workerd = createRequire(import.meta.url).resolve('workerd/bin/workerd');
  // The port is chosen by the system; workerd tells it on the control pipe, its fourth file.
  const child = spawn(workerd, ['serve', config, '--control-fd=3'], {
    stdio: ['ignore', 'inherit', 'inherit', 'pipe'],
  });
  const ended = once(child, 'exit');
  try {
    const port = await listeningPort(child.stdio[3] as Readable, ended, START_LIMIT_MS);
    const response = await fetch(`http://127.0.0.1:${port}/`);
    return response.ok ? await response.json() : await response.text();
  } finally {
    child.kill('SIGKILL');
    await ended;
  }
}

function configuration(project: string): string {
  const date = /^compatibility_date = "(.+)"$/m.exec(readFileSync(join(project, 'wrangler.toml'), 'utf8'))?.[1];
  return `using Workerd = import "/workerd/workerd.capnp";
const config :Workerd.Config = (
  services = [(name = "main", worker = (
    modules = [(name = "worker.js", esModule = embed "worker.js")],
    compatibilityDate = "${date}"
  ))],
  sockets = [(name = "http", address = "127.0.0.1:0", http = (), service = "main")]
);
`;
}
