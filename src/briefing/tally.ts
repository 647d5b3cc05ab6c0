/** Figures of one period while they are counted. Every count is of distinct numbers, each handed in once. */

import { isoDay } from '../format/records.ts';
import { CHANNELS, INDUSTRIES } from '../format/vocabulary.ts';
import type { ChannelFigures, ComparedFigures, DayFigures, IndustryFigures } from './briefing.ts';
import { by, ratio } from './figures.ts';
import { type DaySpan, periodOf, spanDays } from './period.ts';

export class PeriodTally {
  readonly span: DaySpan;
  captured = 0;
  firstTime = 0;
  /** Numbers first seen not after the period. */
  inventory = 0;
  /** First-time numbers by the channel of their first detection. */
  readonly #channels = new Float64Array(CHANNELS.length);
  readonly #industries = new Float64Array(INDUSTRIES.length);
  readonly #dayCaptured: Float64Array;
  readonly #dayFirstTime: Float64Array;

  constructor(span: DaySpan) {
    this.span = span;
    this.#dayCaptured = new Float64Array(spanDays(span));
    this.#dayFirstTime = new Float64Array(spanDays(span));
  }

  /** A number was detected on a day of the period. */
  addDay(day: number): void {
    const at = day - this.span.from;
    this.#dayCaptured[at] = (this.#dayCaptured[at] as number) + 1;
  }

  /** @param industries bit n for INDUSTRIES[n] */
  addCaptured(industries: number): void {
    this.captured += 1;
    for (let bits = industries; bits !== 0; bits &= bits - 1) {
      const industry = 31 - Math.clz32(bits & -bits);
      this.#industries[industry] = (this.#industries[industry] as number) + 1;
    }
  }

  /** @param channel index into CHANNELS */
  addFirstTime(firstDay: number, channel: number): void {
    const at = firstDay - this.span.from;
    this.firstTime += 1;
    this.#channels[channel] = (this.#channels[channel] as number) + 1;
    this.#dayFirstTime[at] = (this.#dayFirstTime[at] as number) + 1;
  }

  figures(): ComparedFigures {
    const { span, captured, firstTime, inventory } = this;
    return {
      period: periodOf(span),
      captured,
      firstTime,
      firstTimeShare: ratio(firstTime, captured),
      inventory,
      channels: this.channels(),
      industries: this.industries(),
    };
  }

  channels(): ChannelFigures[] {
    return CHANNELS.map((channel, i) => ({ channel, firstTime: this.#channels[i] as number }))
      .filter(({ firstTime }) => firstTime > 0)
      .map((figures) => ({ ...figures, share: ratio(figures.firstTime, this.firstTime) }))
      .sort(
        by(
          (each) => each.firstTime,
          (each) => each.channel,
        ),
      );
  }

  industries(): IndustryFigures[] {
    return INDUSTRIES.map((industry, i) => ({ industry, captured: this.#industries[i] as number }))
      .filter(({ captured }) => captured > 0)
      .map((figures) => ({ ...figures, share: ratio(figures.captured, this.captured) }))
      .sort(
        by(
          (each) => each.captured,
          (each) => each.industry,
        ),
      );
  }

  trend(): DayFigures[] {
    return Array.from(this.#dayCaptured, (captured, i) => ({
      day: isoDay(this.span.from + i),
      captured,
      firstTime: this.#dayFirstTime[i] as number,
    }));
  }
}
