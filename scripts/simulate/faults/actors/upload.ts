/** Uploads: new ones, ones sent again, and ones with another body under a key that was used. */
import { feedOf } from '../feeds.ts';
import type { Exchange } from '../world.ts';
import { type Actor, pick, type Scene, type SentUpload } from './actor.ts';

interface Receipt {
  readonly batch: string;
  readonly accepted: number;
  readonly rejected: number;
  readonly errors: readonly { readonly line: number; readonly code: string }[];
}

export const upload: Actor = async (scene) => {
  const { town, world, random, tell } = scene;
  const upload = nextUpload(scene);
  const { feed, tenant, idempotencyKey } = upload;
  const { body } = feed;
  world.model.expect(body, { tenant: tenant.name, key: tenant.keyId });
  town.sent.push(upload);
  const isolate = world.anyIsolate(random);
  const keyed = idempotencyKey === null ? '' : ` with key ${idempotencyKey}`;
  tell(
    `${tenant.name} uploads ${body.lines} lines (${body.rejected.length} bad)${keyed}, body ${body.sha256.slice(0, 8)}`,
  );
  const exchange = await world.send(isolate, {
    method: 'POST',
    path: '/v1/detections',
    key: tenant.key,
    body: feed.bytes,
    headers: { ...feed.headers, ...(idempotencyKey === null ? undefined : { 'idempotency-key': idempotencyKey }) },
  });
  // The answer may also be lost on its way.
  if (exchange !== null && !random.chance(0.1)) check(scene, upload, exchange);
};

function nextUpload({ town, world, random, name }: Scene): SentUpload {
  const known = town.sent.length > 0 && random.chance(0.3) ? pick(random, town.sent) : null;
  // The same again, with the same key or with none; then both count.
  if (known !== null && random.chance(0.7)) return known;
  const feed = feedOf(random, name, world.now, world.plan.habits);
  if (known !== null) return { ...known, feed };
  const idempotencyKey = random.chance(0.5) ? `key of ${name}` : null;
  return { feed, tenant: pick(random, town.tenants), idempotencyKey };
}

function check({ town, world }: Scene, upload: SentUpload, { answer }: Exchange): void {
  const { feed, tenant, idempotencyKey } = upload;
  const { body } = feed;
  if (answer.status === 409) {
    const isOther = (sent: SentUpload) =>
      sent.idempotencyKey === idempotencyKey && sent.tenant === tenant && sent.feed.body.sha256 !== body.sha256;
    if (idempotencyKey === null || !town.sent.some(isOther)) {
      world.broken('a conflict takes another body with the key', `body ${body.sha256.slice(0, 8)}`);
    }
    return;
  }
  if (answer.status === 503) return;
  if (answer.status !== 202) {
    world.broken('an upload is accepted', `answered ${answer.status}: ${JSON.stringify(answer.json)}`);
    return;
  }
  const { batch, accepted, rejected, errors } = answer.json as Receipt;
  const found = JSON.stringify([accepted, rejected, errors.map(({ line, code }) => [line, code])]);
  const meant = [body.detections.length, body.rejected.length, body.rejected.map(({ line, code }) => [line, code])];
  if (found !== JSON.stringify(meant)) {
    world.broken('a receipt tells what was accepted', `expected ${JSON.stringify(meant)}, found ${found}`);
  }
  if (accepted === 0 && idempotencyKey === null) return;
  const stored = world.model.batches.get(batch);
  if (stored?.body.sha256 !== body.sha256) {
    world.broken('what is acknowledged is stored', `${batch} of body ${body.sha256.slice(0, 8)} is not`);
  }
  town.acknowledged.push({ ...upload, batch });
}
