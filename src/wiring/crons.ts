/** The cron handlers: every minute a tick, and on days of their own briefings and the census. */
import { messageOf } from '../lib/errors.ts';
import { tick } from '../merge/tick.ts';
import type { Crons } from './control.ts';

/** Quarter past midnight UTC on the 1st and the 16th: by then what was detected just before has been merged. */
export const HALF_MONTH_CRON = '15 0 1,16 * *';
/** Once a day, at a minute when nothing else of size runs. */
export const CENSUS_CRON = '45 0 * * *';

/**
 * The trigger of every minute fires beside the others, so the others do not tick. If a briefing or the census fails,
 * the failure is logged and what was kept before stays: the briefing is computed when it is asked for, and the census
 * is a day older. If a tick fails, the failure is logged and thrown, so that the platform counts the invocation as
 * failed.
 */
export async function runCron(cron: string, crons: Crons): Promise<void> {
  const { briefings, finder, merge } = crons;
  if (cron === HALF_MONTH_CRON)
    return logged(merge, 'briefing.failed', async () => {
      const { generation, period } = await briefings.keepHalfMonth();
      merge.log('briefing', { from: period.from, to: period.to, generation });
    });
  if (cron === CENSUS_CRON)
    return logged(merge, 'census.failed', async () => {
      const { generation, numbers } = await briefings.takeCensus();
      merge.log('census', { generation, numbers });
    });
  const result = await tick(merge).catch((error: unknown) => {
    // Nothing was published, or the tick stopped after the swap: waiting batches are whole, and the next tick goes on.
    merge.log('tick.failed', { reason: messageOf(error) });
    throw error;
  });
  merge.log('tick', { ...result, lostRace: String(result.lostRace) });
  // This isolate may have a snapshot of its own, and knows that there is a newer one. If that cannot be read, the tick
  // is done all the same.
  await logged(merge, 'snapshot.stale', async () => {
    await finder.snapshots.refresh();
  });
}

async function logged({ log }: Crons['merge'], event: string, work: () => Promise<void>): Promise<void> {
  try {
    await work();
  } catch (error) {
    log(event, { reason: messageOf(error) });
  }
}
