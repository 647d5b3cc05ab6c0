/** "One number, one project, one link": what detections through `api_receiver` say of links and dedicated numbers. */
import type { LinkFigures } from './briefing.ts';
import { API_RECEIVER, type FactKinds, NONE } from './fact-kinds.ts';
import { by } from './figures.ts';
import { LinkSet } from './link-set.ts';

const MAX_HOSTS = 25;

export class LinkTally {
  readonly #kinds: FactKinds;
  readonly #links = new LinkSet();
  readonly #hostLinks: Float64Array;
  readonly #hostNumbers: Float64Array;
  /** The number that was last counted for each host: they come in order. */
  readonly #hostLast: Float64Array;
  readonly #hostProjects: Set<number>[];
  #numbers = 0;
  #dedicated = 0;
  /** Of the present number: its first project and first link, NONE until it has one, and whether there are others. */
  #project = NONE;
  #hasProjects = false;
  #host = NONE;
  #high = 0;
  #low = 0;
  #hasLinks = false;

  constructor(kinds: FactKinds) {
    const size = kinds.hosts.length;
    this.#kinds = kinds;
    this.#hostLinks = new Float64Array(size);
    this.#hostNumbers = new Float64Array(size);
    this.#hostLast = new Float64Array(size);
    this.#hostProjects = kinds.hosts.map(() => new Set());
  }

  /** A detection of a number in the period. Numbers come in order, and `endNumber` after each. */
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
