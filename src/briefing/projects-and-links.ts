/** Tallies of projects (new, growing) and of links and dedicated numbers, over the rows of a period in number order. */
import { INDUSTRIES } from '../format/attributes.ts';
import { isoDay } from '../lib/time.ts';
import { type ActivityKeys, API_RECEIVER, NONE } from './activity-rows.ts';
import type { LinkFigures, Project, ProjectFigures } from './briefing.ts';
import type { DaySpan } from './period.ts';
import { by, changeOf } from './tallies.ts';

/** More than a reader goes through. The counts beside the lists cover all. */
const MAX_LISTED = 25;
/** The industry of a project whose detections name several. */
const SEVERAL = -2;

export class ProjectTally {
  readonly #kinds: ActivityKeys;
  readonly #captured: Float64Array;
  readonly #compared: Float64Array;
  readonly #previous: Float64Array;
  /** For each project, the number last counted for it: numbers come in order. */
  readonly #lastCaptured: Float64Array;
  readonly #lastCompared: Float64Array;
  readonly #lastPrevious: Float64Array;
  /** For each project, the industry of its detections in the period: an index into INDUSTRIES, NONE, or SEVERAL. */
  readonly #industry: Int32Array;

  constructor(kinds: ActivityKeys) {
    const size = kinds.projects.length;
    this.#kinds = kinds;
    this.#captured = new Float64Array(size);
    this.#compared = new Float64Array(size);
    this.#previous = new Float64Array(size);
    this.#lastCaptured = new Float64Array(size);
    this.#lastCompared = new Float64Array(size);
    this.#lastPrevious = new Float64Array(size);
    this.#industry = new Int32Array(size).fill(NONE);
  }

  /**
   * Adds a detection of a number in the period. Numbers come in order.
   * @param isCompared whether its day is one of those that are compared
   */
  addRow(number: number, kind: number, isCompared: boolean): void {
    const project = this.#kinds.project[kind] as number;
    if (project === NONE) return;
    countOnce(this.#captured, this.#lastCaptured, project, number);
    if (isCompared) countOnce(this.#compared, this.#lastCompared, project, number);
    const industry = this.#kinds.industry[kind] as number;
    const known = this.#industry[project] as number;
    if (industry !== NONE && industry !== known) this.#industry[project] = known === NONE ? industry : SEVERAL;
  }

  /** Adds a detection of a number in the period before. Numbers come in order. */
  addPreviousRow(number: number, kind: number): void {
    const project = this.#kinds.project[kind] as number;
    if (project !== NONE) countOnce(this.#previous, this.#lastPrevious, project, number);
  }

  figures({ from, to }: DaySpan): ProjectFigures {
    const { projectFirstDay } = this.#kinds;
    const named = Array.from(this.#captured.keys()).filter((i) => (this.#captured[i] as number) > 0);
    const isNew = (i: number) => (projectFirstDay[i] as number) >= from && (projectFirstDay[i] as number) <= to;
    const added = named.filter(isNew).map((i) => this.#project(i));
    const growing = named.map((i) => this.#project(i)).filter(({ compared, previous }) => compared > previous);
    return {
      count: named.length,
      new: added
        .sort(
          by(
            (each) => each.captured,
            (each) => each.project,
          ),
        )
        .slice(0, MAX_LISTED),
      newCount: added.length,
      growing: growing
        .sort(
          by(
            (each) => each.compared - each.previous,
            (each) => each.project,
          ),
        )
        .slice(0, MAX_LISTED),
    };
  }

  #project(index: number): Project {
    const compared = this.#compared[index] as number;
    const previous = this.#previous[index] as number;
    return {
      project: this.#kinds.projects[index] as string,
      industry: INDUSTRIES[this.#industry[index] as number] ?? null,
      firstDay: isoDay(this.#kinds.projectFirstDay[index] as number),
      captured: this.#captured[index] as number,
      compared,
      previous,
      change: changeOf(compared, previous),
    };
  }
}

/** Counts a number at an index, unless it was counted there last. No number is 0. */
function countOnce(counts: Float64Array, last: Float64Array, index: number, number: number): void {
  if (last[index] === number) return;
  last[index] = number;
  counts[index] = (counts[index] as number) + 1;
}

/** Slots at first; a slot takes 12 bytes. */
const FIRST_SLOTS = 1024;
const MAX_LOAD = 0.5;
/** Spreads hosts over the slots; it is odd, so that no two hosts are mapped to one. */
const HOST_FACTOR = 0x9e3779b1;

export class LinkSet {
  #slots = FIRST_SLOTS;
  /** Host + 1; 0 marks a free slot. */
  #host = new Uint32Array(FIRST_SLOTS);
  #high = new Uint32Array(FIRST_SLOTS);
  #low = new Uint32Array(FIRST_SLOTS);
  #size = 0;

  get size(): number {
    return this.#size;
  }

  /** Adds a link, and returns whether it was not there yet. */
  add(host: number, high: number, low: number): boolean {
    const at = this.#find(host, high, low);
    if (this.#host[at] !== 0) return false;
    this.#put(at, host, high, low);
    this.#size += 1;
    if (this.#size > this.#slots * MAX_LOAD) this.#grow();
    return true;
  }

  /** The slot of a link, or the one where it would be put. */
  #find(host: number, high: number, low: number): number {
    const mask = this.#slots - 1;
    // The bits of a hash are random already.
    let at = (low ^ Math.imul(host, HOST_FACTOR)) & mask;
    while (this.#host[at] !== 0) {
      if (this.#host[at] === host + 1 && this.#high[at] === high && this.#low[at] === low) break;
      at = (at + 1) & mask;
    }
    return at;
  }

  #put(at: number, host: number, high: number, low: number): void {
    this.#host[at] = host + 1;
    this.#high[at] = high;
    this.#low[at] = low;
  }

  #grow(): void {
    const [host, high, low] = [this.#host, this.#high, this.#low];
    this.#slots *= 2;
    this.#host = new Uint32Array(this.#slots);
    this.#high = new Uint32Array(this.#slots);
    this.#low = new Uint32Array(this.#slots);
    for (let i = 0; i < host.length; i++) {
      if (host[i] === 0) continue;
      const values = [(host[i] as number) - 1, high[i] as number, low[i] as number] as const;
      this.#put(this.#find(...values), ...values);
    }
  }
}

// "One number, one project, one link": what detections through `api_receiver` say of links and dedicated numbers.

const MAX_HOSTS = 25;

export class LinkTally {
  readonly #kinds: ActivityKeys;
  readonly #links = new LinkSet();
  readonly #hostLinks: Float64Array;
  readonly #hostNumbers: Float64Array;
  /** For each host, the number last counted for it: numbers come in order. */
  readonly #hostLast: Float64Array;
  readonly #hostProjects: Set<number>[];
  #numbers = 0;
  #dedicated = 0;
  /** The first project and the first link of the number at hand, NONE until it has one, and whether it has others. */
  #project = NONE;
  #hasProjects = false;
  #host = NONE;
  #high = 0;
  #low = 0;
  #hasLinks = false;

  constructor(kinds: ActivityKeys) {
    const size = kinds.hosts.length;
    this.#kinds = kinds;
    this.#hostLinks = new Float64Array(size);
    this.#hostNumbers = new Float64Array(size);
    this.#hostLast = new Float64Array(size);
    this.#hostProjects = kinds.hosts.map(() => new Set());
  }

  /** Adds a detection of a number in the period. Numbers come in order, with a call of `endNumber` after each. */
  addRow(number: number, kind: number, high: number, low: number): void {
    if (this.#kinds.channel[kind] !== API_RECEIVER) return;
    const project = this.#kinds.project[kind] as number;
    if (project !== NONE) {
      if (this.#project === NONE) this.#project = project;
      else if (this.#project !== project) this.#hasProjects = true;
    }
    const host = this.#kinds.host[kind] as number;
    if (host === NONE || (high === 0 && low === 0)) return;
    if (this.#host === NONE) [this.#host, this.#high, this.#low] = [host, high, low];
    else if (this.#host !== host || this.#high !== high || this.#low !== low) this.#hasLinks = true;
    if (this.#links.add(host, high, low)) this.#hostLinks[host] = (this.#hostLinks[host] as number) + 1;
    if (this.#hostLast[host] !== number) {
      this.#hostLast[host] = number;
      this.#hostNumbers[host] = (this.#hostNumbers[host] as number) + 1;
    }
    if (project !== NONE) this.#hostProjects[host]?.add(project);
  }

  endNumber(): void {
    if (this.#host !== NONE) {
      this.#numbers += 1;
      if (this.#project !== NONE && !this.#hasProjects && !this.#hasLinks) this.#dedicated += 1;
    }
    this.#project = NONE;
    this.#host = NONE;
    this.#hasProjects = false;
    this.#hasLinks = false;
  }

  figures(): LinkFigures {
    const hosts = this.#kinds.hosts.map((host, i) => ({
      host,
      links: this.#hostLinks[i] as number,
      numbers: this.#hostNumbers[i] as number,
      projects: this.#hostProjects[i]?.size ?? 0,
    }));
    return {
      links: this.#links.size,
      numbers: this.#numbers,
      dedicated: this.#dedicated,
      hosts: hosts
        .filter(({ links }) => links > 0)
        .sort(
          by(
            (each) => each.links,
            (each) => each.host,
          ),
        )
        .slice(0, MAX_HOSTS),
    };
  }
}
