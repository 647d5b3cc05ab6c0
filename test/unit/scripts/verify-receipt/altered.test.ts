import { expect, test } from 'vitest';
import { CommandError } from '../../../../scripts/command/errors.ts';
import { type ReceiptedAnswer, verifyReceipt } from '../../../../scripts/verify-receipt.ts';
import { lookupOne } from '../../../../src/lookup/lookup.ts';
import { tick } from '../../../../src/merge/tick.ts';
import { formatE164 } from '../../../../src/phone/parse.ts';
import { fictionNumber, someDetections } from '../../../support/detections.ts';
import { createWhole } from '../../../support/whole.ts';
import { newWorld, upload } from '../../../support/world.ts';

async function answered() {
  const world = newWorld();
  world.clock = Date.now();
  const number = fictionNumber(103);
  const [one] = someDetections(1, 1);
  if (one === undefined) throw new Error('no detection');
  const at = Math.floor(world.clock / 1000) - 86_400;
  await upload(world, 'a', [{ ...one, number, observedAt: at, firstSeenAt: at }]);
  await tick(world);
  const stores = { objects: world.objects.memory, slices: world.slices.memory };
  const { services } = createWhole(stores, { RINGFENCE_ADMIN_KEY: 'a'.repeat(32) }, () => {});
  const answer = await lookupOne(services, 'default', { number: formatE164(number), receipt: true });
  const { receipt } = answer;
  if (receipt === undefined) throw new Error('no receipt');
  return { stores, answer: { ...answer, receipt } satisfies ReceiptedAnswer };
}

const rule = { id: 'x', action: 'block', mode: 'enforce' } as const;

test.each([
  ['a rule that does not compile', { policy: { rules: [{ ...rule, when: 'foo(((' }], default: 'allow' } }],
  [
    'more rules than a policy has',
    {
      policy: {
        rules: Array.from({ length: 101 }, (_, i) => ({ ...rule, id: `r${i}`, when: 'true' })),
        default: 'allow',
      },
    },
  ],
] as const)(
  'an altered receipt with %s is told, not called something that should not have happened',
  async (_, altered) => {
    const { stores, answer } = await answered();
    const given = { ...answer, receipt: { ...answer.receipt, ...altered } } as ReceiptedAnswer;
    await expect(verifyReceipt(stores, given)).rejects.toBeInstanceOf(CommandError);
  },
);

test.each(['manifest', 'history/0000000001-'])('a receipt whose segment is called "%s" likewise', async (key) => {
  const { stores, answer } = await answered();
  const [named = key] = (await stores.objects.list(key)).objects.map((head) => head.key);
  const segments = answer.receipt.segments.map((one) => ({ ...one, key: named }));
  const given = { ...answer, receipt: { ...answer.receipt, segments } };
  await expect(
    verifyReceipt(stores, given).then(({ differing }) => differing.length > 0 || 'confirmed'),
  ).rejects.toBeInstanceOf(CommandError);
});

test.each([{ generation: 999 }, { commit: 'zzz' }])(
  'an answer of another generation is not confirmed: %j',
  async (altered) => {
    const { stores, answer } = await answered();
    const { commit = answer.receipt.commit, ...rest } = altered as { commit?: string };
    const given = { ...answer, ...rest, receipt: { ...answer.receipt, commit } };
    const outcome = await verifyReceipt(stores, given).then(
      ({ differing }) => differing,
      () => ['refused'],
    );
    expect(outcome).not.toEqual([]);
  },
);

/** As every real folder does: the store in memory answers before a pause of no time is over. */
test('a receipt whose segments are gone is held against that day, in a store that takes a moment', async () => {
  const { stores, answer } = await answered();
  const objects = new Proxy(stores.objects, {
    get(target, name) {
      const value: unknown = Reflect.get(target, name);
      if (typeof value !== 'function') return value;
      return async (...args: unknown[]) => {
        await new Promise((resolve) => setTimeout(resolve, 1));
        return value.apply(target, args);
      };
    },
  });
  const segments = answer.receipt.segments.map((one) => ({ ...one, key: 'segments/collected' }));
  const old = { ...answer, receipt: { ...answer.receipt, segments } };
  expect(await verifyReceipt({ ...stores, objects }, old)).toEqual({ from: 'day', differing: [] });
});
