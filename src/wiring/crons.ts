import { loggableMessage } from '../lib/errors.ts';
import { tick } from '../merge/tick.ts';
import type { Crons } from './control.ts';

/** Quarter past midnight UTC on the 1st and the 16th: what was detected just before has been merged by then. */
export const HALF_MONTH_CRON = '15 0 1,16 * *';
/** Once a day, at a minute when nothing else of size runs. */
export const CENSUS_CRON = '45 0 * * *';

/**
 * The minute's trigger fires beside the others, so these do not tick. A failure of theirs is logged and leaves what was
 * kept before: a briefing is then computed when it is asked for, and the census is a day older. That of a tick is logged
 * and thrown, so that the platform counts it as failed.
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
    // Nothing was published, or the tick stopped after it had: what waits is whole, and the next tick takes it up.
    merge.log('tick.failed', { reason: loggableMessage(error) });
    throw error;
  });
  merge.log('tick', { ...result, lostRace: String(result.lostRace) });
  // This isolate may serve lookups too, and knows that there is something new. The tick is done in any case.
  await logged(merge, 'snapshot.stale', async () => {
    await finder.snapshots.refresh();
  });
}

async function logged({ log }: Crons['merge'], event: string, work: () => Promise<void>): Promise<void> {
  try {
    await work();
  } catch (error) {
    log(event, { reason: error instanceof Error ? error.message : 'failed' });
  }
}
