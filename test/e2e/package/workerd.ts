/** One module on bare workerd: what a Worker of a user runs on, without the development server around it. */
import { startWorkerd } from '../../../bench/support/workerd.ts';
import { compatibilityDate } from '../../../scripts/command/paths.ts';

/** What the Worker `worker.js` in the folder answers. */
export async function answerOfWorkerd(folder: string): Promise<unknown> {
  const workerd = await startWorkerd(folder, CONFIGURATION);
  try {
    const response = await fetch(workerd.url);
    return response.ok ? await response.json() : await response.text();
  } finally {
    await workerd.stop();
  }
}

const CONFIGURATION = `using Workerd = import "/workerd/workerd.capnp";
const config :Workerd.Config = (
  services = [(name = "main", worker = (
    modules = [(name = "worker.js", esModule = embed "worker.js")],
    compatibilityDate = "${compatibilityDate()}"
  ))],
  sockets = [(name = "http", address = "127.0.0.1:0", http = (), service = "main")]
);
`;
