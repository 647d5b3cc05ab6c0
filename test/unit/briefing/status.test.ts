/** What the status says of active numbers, on a whole runtime over stores in memory. */
import { expect, it, vi } from 'vitest';
import { dayOfMs, isoDay } from '../../../src/lib/time.ts';
import { MemoryObjectStore, MemorySliceStore } from '../../../src/storage/memory.ts';
import { HALF_MONTH_CRON, runCron } from '../../../src/wiring/crons.ts';
import { createWhole } from '../../support/whole.ts';

const DAY_MS = 86_400_000;

it('active numbers are those of the census, and the new ones; the half-month cron fills in a briefing', async () => {
  vi.spyOn(console, 'log').mockImplementation(() => undefined);
  const stores = { objects: new MemoryObjectStore(() => Date.now()), slices: new MemorySliceStore() };
  const runtime = createWhole(stores, {}, () => undefined);
  const today = Date.now();
  const upload = async (lines: readonly object[]) => {
    const body = new Blob([JSON.stringify(lines)]).stream();
    await runtime.services.accept({ body, contentType: 'application/json', tenant: 'default' });
    await runCron('* * * * *', runtime);
  };
  const detection = (last: number, daysAgo: number) => ({
    number: `+120255501${last}`,
    label: 'reported_abuse',
    observedAt: new Date(today - daysAgo * DAY_MS).toISOString(),
  });
  await upload([detection(10, 5), detection(11, 364), detection(12, 365), detection(13, 900)]);
  expect((await runtime.services.status()).inventory).toEqual({ numbers: 4, active: 4, activeAsOf: null });
  await runtime.briefings.takeCensus();
  const activeAsOf = isoDay(dayOfMs(today));
  expect((await runtime.services.status()).inventory).toEqual({ numbers: 4, active: 2, activeAsOf });
  await upload([detection(14, 0)]);
  expect((await runtime.services.status()).inventory).toEqual({ numbers: 5, active: 3, activeAsOf });
  await runCron(HALF_MONTH_CRON, runtime);
  expect((await stores.objects.list('briefings/')).objects).toHaveLength(1);
});
