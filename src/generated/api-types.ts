/** Written by `npm run generate` from the OpenAPI document; changes made here are lost. */

/**
 * By operation: what it takes, and what it answers.
 */
export interface OperationTypes {
  lookup: {
    body: LookupRequest;
    answer: LookupAnswer;
  };
  lookupByQuery: {
    query: {
      /**
       * E.164, international digits, tel: URI, or national with `country`; the usual punctuation
       */
      number: string;
      /**
       * ISO 3166-1 alpha-2, in either case: the country of a number that is given without a calling code
       */
      country?: string;
      /**
       * What the number is about to be used for. Rules of the policy can ask for it
       */
      scenario?: string;
      /**
       * Adds the evidence
       */
      evidence?: 'true' | 'false';
      /**
       * Answers what was known by the end of a UTC date (YYYY-MM-DD), or in a generation that is still retained. Rules and overrides are the present ones. An aggregated line counts as one sighting from its first day on, and in full from its last
       */
      asOf?: string;
      /**
       * Adds what the answer was computed from, for `npm run verify-receipt`; not with `asOf`
       */
      receipt?: 'true' | 'false';
    };
    answer: LookupAnswer;
  };
  lookupBatch: {
    body: BatchRequest;
    answer: BatchAnswer;
  };
  getPolicy: {
    query?: {
      /**
       * The version of an earlier policy, listed in `earlier`, instead of the one in force
       */
      version?: string;
      /**
       * Another tenant, or `*` for all of them; with the scope `admin` only
       */
      tenant?: string;
    };
    answer: Policy;
  };
  putPolicy: {
    query?: {
      /**
       * Another tenant, or `*` for all of them; with the scope `admin` only
       */
      tenant?: string;
    };
    body: PolicyRequest;
    answer: Policy;
  };
  testPolicy: {
    query?: {
      /**
       * Another tenant, or `*` for all of them; with the scope `admin` only
       */
      tenant?: string;
    };
    body: PolicyTestRequest;
    answer: PolicyTest;
  };
  putOverride: {
    query?: {
      /**
       * Another tenant, or `*` for all of them; with the scope `admin` only
       */
      tenant?: string;
    };
    body: OverrideRequest;
    answer: Override;
  };
  getOverrides: {
    query?: {
      /**
       * A plus sign may be sent as it is or as %2B, a space as %20
       */
      number?: string;
      /**
       * ISO 3166-1 alpha-2, in either case: the country of a number that is given without a calling code
       */
      country?: string;
      /**
       * Another tenant, or `*` for all of them; with the scope `admin` only
       */
      tenant?: string;
    };
    answer: Override | Overrides;
  };
  deleteOverride: {
    query: {
      /**
       * A plus sign may be sent as it is or as %2B, a space as %20
       */
      number: string;
      /**
       * ISO 3166-1 alpha-2, in either case: the country of a number that is given without a calling code
       */
      country?: string;
      /**
       * Another tenant, or `*` for all of them; with the scope `admin` only
       */
      tenant?: string;
    };
    answer: undefined;
  };
  resetOverrides: {
    query?: {
      /**
       * Another tenant, or `*` for all of them; with the scope `admin` only
       */
      tenant?: string;
    };
    answer: undefined;
  };
  listAudit: {
    query?: {
      /**
       * The value of `older` on the page before
       */
      before?: string;
      /**
       * Another tenant, or `*` for all of them; with the scope `admin` only
       */
      tenant?: string;
    };
    answer: Audit;
  };
  briefing: {
    path: {
      /**
       * First day, UTC: today or before
       */
      from: string;
      /**
       * Last day, UTC, inclusive: at most 366 days in all. It may lie in the future: then the figures are those so far, and period.complete is false
       */
      to: string;
    };
    answer: Briefing;
  };
  uploadDetections: {
    headers?: {
      /**
       * Makes a retry safe: the same key and body are counted once and answered with the same receipt
       */
      'Idempotency-Key'?: string;
    };
    body: string | Detection[];
    answer: Receipt;
  };
  listBatches: {
    query?: {
      /**
       * ISO 8601 date, or date-time with offset: only batches that are waiting or were taken up since then
       */
      since?: string;
      /**
       * Only batches with lines of this source; empty: with lines that name no source
       */
      source?: string;
      /**
       * The value of `next` on the page before
       */
      after?: string;
    };
    answer: {
      /**
       * First the waiting batches, then those that ticks took up, latest first
       */
      batches: {
        /**
         * The id, as in the answer to the upload
         */
        batch: string;
        /**
         * waiting: the next ticks will merge it. merged: it is in the inventory, except for rows that are held back or were dropped with their source. held: all of its rows are held back with their sources. set-aside: it is kept out of the inventory by a rollback, or since no tick could merge it. withdrawing: it was withdrawn, and lookups answer as before until ticks have taken it out. withdrawn: no row of it is in the inventory
         */
        state: 'waiting' | 'merged' | 'held' | 'set-aside' | 'withdrawing' | 'withdrawn';
        /**
         * null: the time is not known any more, since it had an Idempotency-Key and has been taken up
         */
        receivedAt: string | null;
        /**
         * When a tick took it up; null: it is waiting
         */
        takenUpAt: string | null;
        /**
         * The generation that took it up first
         */
        generation: number | null;
        /**
         * Accepted lines; null: the batch cannot be read
         */
        accepted: number | null;
        rejected: number | null;
        /**
         * The tenant that uploaded it; null: not known
         */
        tenant: string | null;
        /**
         * Accepted lines that are held back with their source
         */
        held: number;
        /**
         * The first twenty sources that it names; null stands for lines without one
         */
        sources: (string | null)[];
        setAside: {
          reason: 'rollback' | 'failed' | 'exhausted';
          detail: string | null;
          at: string;
        } | null;
        withdrawn: {
          at: string;
          /**
           * Id of the API key
           */
          by: string;
          /**
           * Progress while its state is withdrawing. queued: others are first. gathering: ticks read all kept batches. rewriting: ticks write the inventory without it
           */
          step: ('queued' | 'gathering' | 'rewriting') | null;
        } | null;
      }[];
      /**
       * The value of `after` for the next page; null: there is none
       */
      next: string | null;
    };
  };
  withdrawBatch: {
    path: {
      /**
       * The id of the batch, as in the answer to the upload or in GET /v1/batches
       */
      id: string;
    };
    answer: {
      batch: string;
      state: 'withdrawing' | 'withdrawn';
      /**
       * When it was withdrawn first; a repeated request changes nothing
       */
      at: string;
      /**
       * Id of the API key
       */
      by: string;
    };
  };
  releaseBatch: {
    path: {
      /**
       * The id of the batch, as in the answer to the upload or in GET /v1/batches
       */
      id: string;
    };
    answer: {
      batch: string;
      state: 'waiting';
    };
  };
  listSources: {
    answer: Sources;
  };
  releaseSource: {
    body: SourceRequest;
    answer: SourceDecision;
  };
  dropSource: {
    body: SourceRequest;
    answer: SourceDecision;
  };
  putCanary: {
    body: CanaryRequest;
    answer: Canary;
  };
  listCanaries: {
    answer: Canaries;
  };
  deleteCanary: {
    query: {
      /**
       * A plus sign may be sent as it is or as %2B, a space as %20
       */
      number: string;
    };
    answer: undefined;
  };
  index: {
    answer: {
      service: string;
      health: string;
      openapi: string;
      docs: string;
    };
  };
  health: {
    answer: Health;
  };
  status: {
    answer: Status;
  };
  rollback: {
    body: RollbackRequest;
    answer: RollbackAnswer;
  };
  createKey: {
    body: NewKeyRequest;
    answer: NewKeyAnswer;
  };
  listKeys: {
    answer: Keys;
  };
  deleteKey: {
    path: {
      /**
       * The id of the key
       */
      id: string;
    };
    answer: undefined;
  };
  openapi: {
    answer: {
      openapi: string;
    };
  };
  feedManifest: {
    headers?: {
      /**
       * The ETag that the client has
       */
      'If-None-Match'?: string;
    };
    answer: FeedManifest;
  };
}
export interface LookupRequest {
  /**
   * E.164, international digits, tel: URI, or national with `country`; the usual punctuation
   */
  number: string;
  country?: string | null;
  scenario?: string | null;
  evidence?: boolean | null;
  asOf?: (string | number) | null;
  receipt?: boolean | null;
  plusMayBeLost?: boolean | null;
}
export interface LookupAnswer {
  /**
   * E.164
   */
  number: string;
  /**
   * ISO 3166-1 alpha-2, by number plan; null for plans of no one country, and for an unassigned number where its digits do not tell the countries of its calling code apart
   */
  country: string | null;
  /**
   * By the range of the number plan that the number lies in; `unassigned`: in none, though it has a possible length, as numbers of a new range do
   */
  lineType:
    | 'mobile'
    | 'fixed_line'
    | 'fixed_line_or_mobile'
    | 'voip'
    | 'toll_free'
    | 'premium_rate'
    | 'shared_cost'
    | 'personal_number'
    | 'pager'
    | 'uan'
    | 'voicemail'
    | 'unassigned'
    | 'unknown';
  verdict: 'listed' | 'suspect' | 'clear' | 'unknown';
  level: number | null;
  labels: string[];
  channels: ('otp_marketplace' | 'api_receiver' | 'public_receiver' | 'number_trading' | 'access_tool' | 'other')[];
  industries: (
    | 'social_media'
    | 'communications'
    | 'short_video'
    | 'internet_services'
    | 'ecommerce'
    | 'finance'
    | 'gaming'
    | 'travel'
    | 'other'
  )[];
  firstSeen: string | null;
  lastSeen: string | null;
  /**
   * The exact number of accepted detections; 9007199254740991 stands for that many or more
   */
  sightings: number | null;
  neighbourhood: {
    hundred: number;
    thousand: number;
    score: number;
  } | null;
  action: ('allow' | 'flag' | 'challenge' | 'block') | null;
  rule: string | null;
  generation: number | null;
  /**
   * The number was listed, so long ago that it may be somebody else's by now
   */
  expired?: true;
  override?: {
    list: 'allow' | 'block';
    scope: 'tenant' | 'global';
    expiresAt: string | null;
  };
  shadow?: string[];
  failed?: string[];
  evidence?: Evidence[] | null;
  asOf?:
    | {
        date: string;
        complete?: false;
      }
    | {
        generation: number;
        publishedAt: string;
      };
  receipt?: {
    version: 1;
    decidedAt: string;
    commit: string;
    segments: {
      key: string;
      numbers: string;
      verdicts: string;
      evidence: string;
    }[];
    scenario: string | null;
    policy: {
      rules: {
        id: string;
        when: string;
        action: 'allow' | 'flag' | 'challenge' | 'block';
        mode: 'enforce' | 'shadow';
      }[];
      default: 'allow' | 'flag' | 'challenge' | 'block';
    };
    levels: {
      [k: string]: {
        level: number;
        steps: {
          [k: string]: number;
        };
        horizonDays: number | null;
      };
    };
    unknownLabel: {
      level: number;
      steps: {
        [k: string]: number;
      };
      horizonDays: number | null;
    };
  };
  stale?: true;
  ageSeconds?: number;
}
export interface Evidence {
  label: string;
  channel: 'otp_marketplace' | 'api_receiver' | 'public_receiver' | 'number_trading' | 'access_tool' | 'other';
  industry:
    | (
        | 'social_media'
        | 'communications'
        | 'short_video'
        | 'internet_services'
        | 'ecommerce'
        | 'finance'
        | 'gaming'
        | 'travel'
        | 'other'
      )
    | null;
  project: string | null;
  link: {
    host: string;
    sha256: string;
  } | null;
  source: string | null;
  firstSeenAt: string;
  lastSeenAt: string;
  sightings: number;
}
export interface BatchRequest {
  /**
   * Each as `number` of a single lookup
   *
   * @maxItems 1000
   */
  numbers: unknown[];
  country?: string | null;
  scenario?: string | null;
  asOf?: null;
}
export interface BatchAnswer {
  /**
   * In the order of `numbers`
   */
  results: (LookupAnswer | BatchError)[];
}
export interface BatchError {
  /**
   * The element as it was sent
   */
  input: unknown;
  error: {
    code: 'invalid-number';
    detail: string;
  };
}
export interface Policy {
  tenant: string;
  /**
   * 0: the built-in policy, which is in force until one is put
   */
  version: number;
  rules: {
    id: string;
    when: string;
    action: 'allow' | 'flag' | 'challenge' | 'block';
    mode: 'enforce' | 'shadow';
  }[];
  default: 'allow' | 'flag' | 'challenge' | 'block';
  at: string | null;
  by: string | null;
  earlier: {
    version: number;
    at: string;
    /**
     * Id of the API key
     */
    by: string;
  }[];
  /**
   * Rules that probably do not do what they are meant to do
   */
  warnings: {
    rule: string;
    detail: string;
  }[];
}
export interface PolicyRequest {
  /**
   * The first that matches decides
   */
  rules: {
    /**
     * Answers that the rule decides have it in `rule`
     */
    id: string;
    /**
     * A CEL expression of type bool
     */
    when: string;
    action: 'allow' | 'flag' | 'challenge' | 'block';
    /**
     * A rule in `shadow` mode is reported where it matches, and decides nothing
     */
    mode?: 'enforce' | 'shadow';
  }[];
  /**
   * The action if no rule matches
   */
  default?: 'allow' | 'flag' | 'challenge' | 'block';
}
export interface PolicyTestRequest {
  policy: PolicyRequest;
  /**
   * @maxItems 1000
   */
  numbers?: string[];
  samples?:
    | {
        /**
         * Listed numbers, drawn at random
         */
        inventory?: number;
        /**
         * Numbers of the same ranges that are not listed
         */
        clear?: number;
      }
    | number;
  country?: string | null;
  scenario?: string | null;
}
export interface PolicyTest {
  total: {
    tested: number;
    /**
     * Actions by the policy in force
     */
    present: {
      allow: number;
      flag: number;
      challenge: number;
      block: number;
    };
    /**
     * Actions by the policy that is tested
     */
    policy: {
      allow: number;
      flag: number;
      challenge: number;
      block: number;
    };
    /**
     * Numbers that would get another action
     */
    changed: number;
  };
  /**
   * Numbers that the storage could not answer for
   */
  unanswered: number;
  bySample: {
    sample: 'numbers' | 'inventory' | 'clear';
    tested: number;
    /**
     * Actions by the policy in force
     */
    present: {
      allow: number;
      flag: number;
      challenge: number;
      block: number;
    };
    /**
     * Actions by the policy that is tested
     */
    policy: {
      allow: number;
      flag: number;
      challenge: number;
      block: number;
    };
    /**
     * Numbers that would get another action
     */
    changed: number;
  }[];
  byCountry: {
    country: string | null;
    tested: number;
    /**
     * Actions by the policy in force
     */
    present: {
      allow: number;
      flag: number;
      challenge: number;
      block: number;
    };
    /**
     * Actions by the policy that is tested
     */
    policy: {
      allow: number;
      flag: number;
      challenge: number;
      block: number;
    };
    /**
     * Numbers that would get another action
     */
    changed: number;
  }[];
  /**
   * null: not listed
   */
  byLabel: {
    label: string | null;
    tested: number;
    /**
     * Actions by the policy in force
     */
    present: {
      allow: number;
      flag: number;
      challenge: number;
      block: number;
    };
    /**
     * Actions by the policy that is tested
     */
    policy: {
      allow: number;
      flag: number;
      challenge: number;
      block: number;
    };
    /**
     * Numbers that would get another action
     */
    changed: number;
  }[];
  rules: {
    id: string;
    when: string;
    action: 'allow' | 'flag' | 'challenge' | 'block';
    mode: 'enforce' | 'shadow';
    /**
     * Numbers that the rule matches, even if an earlier one decides
     */
    matched: number;
    /**
     * Numbers whose action the rule decides
     */
    decided: number;
    /**
     * Numbers for which the rule fails at run time and is skipped
     */
    failed: number;
  }[];
  warnings: {
    rule: string;
    detail: string;
  }[];
  /**
   * The decisions on `numbers`, in their order
   */
  results: (
    | {
        number: string;
        verdict: 'listed' | 'suspect' | 'clear' | 'unknown';
        present: {
          action: 'allow' | 'flag' | 'challenge' | 'block';
          rule: string;
          shadow?: string[];
          failed?: string[];
        };
        policy: {
          action: 'allow' | 'flag' | 'challenge' | 'block';
          rule: string;
          shadow?: string[];
          failed?: string[];
        };
      }
    | {
        input: string;
        error: {
          code: string;
          detail: string;
        };
      }
  )[];
}
export interface OverrideRequest {
  /**
   * E.164, international digits, tel: URI, or national with `country`; the usual punctuation
   */
  number: string;
  country?: string | null;
  list: 'allow' | 'block';
  /**
   * For whoever looks at it later
   */
  reason: string;
  /**
   * ISO 8601 date or date-time in the future; absent or null: it does not expire
   */
  expiresAt?: string | null;
}
export interface Override {
  tenant: string;
  number: string;
  list: 'allow' | 'block';
  reason: string;
  expiresAt: string | null;
  /**
   * Id of the API key
   */
  author: string;
  createdAt: string;
}
export interface Overrides {
  overrides: Override[];
}
export interface Audit {
  tenant: string;
  /**
   * Newest first, at most 50
   */
  entries: {
    at: string;
    /**
     * Id of the API key
     */
    by: string;
    action:
      | 'policy.put'
      | 'override.put'
      | 'override.delete'
      | 'overrides.reset'
      | 'key.create'
      | 'key.delete'
      | 'batch.withdraw'
      | 'batch.release'
      | 'canary.put'
      | 'canary.delete'
      | 'source.release'
      | 'source.drop'
      | 'rollback';
    /**
     * Documents that were replaced unread, since they were missing or damaged in storage
     */
    lost?: ('policy' | 'overrides' | 'audit')[];
    /**
     * The version of the policy
     */
    version?: number;
    override?: {
      number: string;
      list: 'allow' | 'block';
      reason: string;
      expiresAt: string | null;
    };
    replaced?: {
      number: string;
      list: 'allow' | 'block';
      reason: string;
      expiresAt: string | null;
    } | null;
    /**
     * Id of the key that was created or deleted
     */
    key?: string;
    name?: string;
    scopes?: string[];
    /**
     * The batch that was withdrawn or released
     */
    batch?: string;
    /**
     * The number of the canary
     */
    number?: string;
    note?: string | null;
    /**
     * The source that was released or dropped, named as in GET /v1/sources
     */
    source?: {
      source: string | null;
      tenant?: string;
      key?: string;
      every?: true;
    };
    /**
     * The generation that a rollback, a release or a drop published
     */
    generation?: number;
    /**
     * The generation that the rollback returned to
     */
    restored?: number;
    requeue?: boolean;
  }[];
  /**
   * The value of `before` for the next page; null: there is none
   */
  older: string | null;
}
export interface Briefing {
  period: {
    from: string;
    /**
     * Inclusive
     */
    to: string;
    days: number;
    /**
     * Whether its last day is over
     */
    complete: boolean;
    /**
     * The last day that figures are of: `to`, or today while the period goes on
     */
    until: string;
  };
  /**
   * Distinct numbers detected in the period
   */
  captured: number;
  /**
   * Those whose first seen, over all history, lies in the period
   */
  firstTime: number;
  /**
   * Of `captured`
   */
  firstTimeShare: number;
  /**
   * Distinct numbers first seen not after the period
   */
  inventory: number;
  /**
   * By captured, most first
   */
  origins: {
    /**
     * `US/Canada`, ISO 3166-1 alpha-2, or `International` for plans of no one country
     */
    group: string;
    captured: number;
    firstTime: number;
    /**
     * A fraction of 1
     */
    share: number;
    /**
     * Captured in the days that are compared
     */
    compared: number;
    /**
     * Captured in the previous period
     */
    previous: number;
    /**
     * `compared` against `previous`, as a fraction of it: 0.1 is a tenth more; null if that had none
     */
    change: number | null;
  }[];
  /**
   * First-time numbers by the channel of their first detection, most first
   */
  channels: {
    channel: 'otp_marketplace' | 'api_receiver' | 'public_receiver' | 'number_trading' | 'access_tool' | 'other';
    firstTime: number;
    /**
     * A fraction of 1
     */
    share: number;
  }[];
  /**
   * Most first; a number counts once in each industry, so shares may add up to more than 1
   */
  industries: {
    industry:
      | 'social_media'
      | 'communications'
      | 'short_video'
      | 'internet_services'
      | 'ecommerce'
      | 'finance'
      | 'gaming'
      | 'travel'
      | 'other';
    captured: number;
    /**
     * A fraction of 1
     */
    share: number;
  }[];
  /**
   * Every day until `period.until`. What is captured daily does not add up to that of the period
   */
  trend: {
    day: string;
    captured: number;
    firstTime: number;
  }[];
  /**
   * The days of the period that are over, which are compared; null: its first day is today
   */
  compared: {
    period: {
      from: string;
      /**
       * Inclusive
       */
      to: string;
      days: number;
    };
    /**
     * Distinct numbers detected in the period
     */
    captured: number;
    /**
     * Those whose first seen, over all history, lies in the period
     */
    firstTime: number;
    /**
     * Of `captured`
     */
    firstTimeShare: number;
    /**
     * Distinct numbers first seen not after the period
     */
    inventory: number;
    /**
     * First-time numbers by the channel of their first detection, most first
     */
    channels: {
      channel: 'otp_marketplace' | 'api_receiver' | 'public_receiver' | 'number_trading' | 'access_tool' | 'other';
      firstTime: number;
      /**
       * A fraction of 1
       */
      share: number;
    }[];
    /**
     * Most first; a number counts once in each industry, so shares may add up to more than 1
     */
    industries: {
      industry:
        | 'social_media'
        | 'communications'
        | 'short_video'
        | 'internet_services'
        | 'ecommerce'
        | 'finance'
        | 'gaming'
        | 'travel'
        | 'other';
      captured: number;
      /**
       * A fraction of 1
       */
      share: number;
    }[];
  } | null;
  /**
   * As many days as are compared, just before the period
   */
  previous: {
    period: {
      from: string;
      /**
       * Inclusive
       */
      to: string;
      days: number;
    };
    /**
     * Distinct numbers detected in the period
     */
    captured: number;
    /**
     * Those whose first seen, over all history, lies in the period
     */
    firstTime: number;
    /**
     * Of `captured`
     */
    firstTimeShare: number;
    /**
     * Distinct numbers first seen not after the period
     */
    inventory: number;
    /**
     * First-time numbers by the channel of their first detection, most first
     */
    channels: {
      channel: 'otp_marketplace' | 'api_receiver' | 'public_receiver' | 'number_trading' | 'access_tool' | 'other';
      firstTime: number;
      /**
       * A fraction of 1
       */
      share: number;
    }[];
    /**
     * Most first; a number counts once in each industry, so shares may add up to more than 1
     */
    industries: {
      industry:
        | 'social_media'
        | 'communications'
        | 'short_video'
        | 'internet_services'
        | 'ecommerce'
        | 'finance'
        | 'gaming'
        | 'travel'
        | 'other';
      captured: number;
      /**
       * A fraction of 1
       */
      share: number;
    }[];
  };
  projects: {
    /**
     * Distinct projects named in the period
     */
    count: number;
    /**
     * Never named before; most captured first, at most 25
     */
    new: {
      project: string;
      /**
       * null: none was named, or several
       */
      industry:
        | (
            | 'social_media'
            | 'communications'
            | 'short_video'
            | 'internet_services'
            | 'ecommerce'
            | 'finance'
            | 'gaming'
            | 'travel'
            | 'other'
          )
        | null;
      /**
       * Over all history
       */
      firstDay: string;
      captured: number;
      /**
       * Captured in the days that are compared
       */
      compared: number;
      /**
       * Captured in the previous period
       */
      previous: number;
      /**
       * `compared` against `previous`, as a fraction of it: 0.1 is a tenth more; null if that had none
       */
      change: number | null;
    }[];
    newCount: number;
    /**
     * By how many more were captured; at most 25
     */
    growing: {
      project: string;
      /**
       * null: none was named, or several
       */
      industry:
        | (
            | 'social_media'
            | 'communications'
            | 'short_video'
            | 'internet_services'
            | 'ecommerce'
            | 'finance'
            | 'gaming'
            | 'travel'
            | 'other'
          )
        | null;
      /**
       * Over all history
       */
      firstDay: string;
      captured: number;
      /**
       * Captured in the days that are compared
       */
      compared: number;
      /**
       * Captured in the previous period
       */
      previous: number;
      /**
       * `compared` against `previous`, as a fraction of it: 0.1 is a tenth more; null if that had none
       */
      change: number | null;
    }[];
  };
  /**
   * Of detections through `api_receiver`
   */
  links: {
    links: number;
    /**
     * Distinct numbers seen through a link
     */
    numbers: number;
    /**
     * Seen for a single project and through a single link
     */
    dedicated: number;
    hosts: {
      host: string;
      links: number;
      numbers: number;
      projects: number;
    }[];
  };
  /**
   * Thousand-blocks with most captured numbers, at most 20
   */
  blocks: {
    /**
     * International digits without the last three
     */
    prefix: string;
    country: string | null;
    captured: number;
    firstTime: number;
  }[];
  /**
   * Sources held back from the inventory, as at `generation`; none of their numbers is in the figures
   */
  quarantined: {
    source: string | null;
    /**
     * Which of several of this name, in the order of `since`
     */
    feed?: number;
    since: string;
    reasons: string[];
    detections: number;
  }[];
  /**
   * Of the inventory that the figures were taken from
   */
  generation: number;
  computedAt: string;
}
export interface Detection {
  /**
   * Read like `number` of a lookup
   */
  number: string;
  /**
   * ISO 3166-1 alpha-2: the country of a number in national form
   */
  country?: string;
  /**
   * ISO 8601 date, or date-time with offset. Default: now
   */
  observedAt?: string;
  /**
   * A configured label. Default: reported_abuse, the mildest
   */
  label?: string;
  channel?: 'otp_marketplace' | 'api_receiver' | 'public_receiver' | 'number_trading' | 'access_tool' | 'other';
  industry?:
    | 'social_media'
    | 'communications'
    | 'short_video'
    | 'internet_services'
    | 'ecommerce'
    | 'finance'
    | 'gaming'
    | 'travel'
    | 'other';
  project?: string;
  /**
   * http(s) URL. Only its host and its SHA-256 are stored
   */
  link?: string;
  source?: string;
  /**
   * The first observation of an aggregated line; not after `observedAt`
   */
  firstSeen?: string;
  sightings?: number;
}
export interface Receipt {
  batch: string;
  accepted: number;
  rejected: number;
  /**
   * The first 100; `line` counts from 1
   */
  errors: {
    line: number;
    code: string;
    detail: string;
  }[];
  /**
   * How many accepted lines lacked the field and got its default. Absent, like `ignoredFields`, for uploads from before these were counted
   */
  defaulted?: {
    label: number;
    channel: number;
    observedAt: number;
  };
  /**
   * Fields that were ignored: the first 20, and "…" if there were more. Digits are shown as `#`. Of a name that is no plain identifier, only the shape is shown
   *
   * @maxItems 21
   */
  ignoredFields?: string[];
  /**
   * Present only if the upload was sent again. waiting: the next ticks will merge it. merged: it is in the inventory, except for rows that are held back. held: all of its rows are held back; only keys with the scope `admin` are told. set-aside, withdrawn: none of it is in the inventory, see `detail`
   */
  state?: 'waiting' | 'merged' | 'held' | 'set-aside' | 'withdrawn';
  /**
   * How to bring back an upload that is set aside or withdrawn
   */
  detail?: string;
}
export interface Sources {
  /**
   * Those in quarantine first, then those with the most lines
   */
  sources: Source[];
  /**
   * Uploads that no tick could merge, kept but not served; the last 100, the latest first
   */
  setAside: {
    batch: string;
    reason: string;
    detail: string | null;
    at: string;
  }[];
  /**
   * The bounds that sources are judged by (docs/QUALITY.md)
   */
  bounds: {
    [k: string]: number;
  };
}
export interface Source {
  /**
   * null stands for detections that name no source
   */
  source: string | null;
  /**
   * The tenant of the source; absent for uploads from before owners were stored
   */
  tenant?: string;
  /**
   * Id of the API key, of detections that name no source
   */
  key?: string;
  /**
   * Everything that the key uploads, whatever source it names: it has too many sources in quarantine to tell them apart
   */
  every?: true;
  /**
   * trusted: it was released, and is not judged again for the reasons of its quarantine until `trustedUntil`
   */
  state: 'accepted' | 'quarantined' | 'trusted';
  /**
   * Since when it has the state; null: there was no decision
   */
  since: string | null;
  reasons: (
    | 'canary'
    | 'invalid-numbers'
    | 'unassigned-ranges'
    | 'fixed-lines'
    | 'sudden-jump'
    | 'uncorroborated'
    | 'rollback'
  )[];
  trustedUntil: string | null;
  /**
   * Id of the API key that released or dropped last
   */
  by: string | null;
  /**
   * Detections kept out of the inventory until it is released or dropped
   */
  held: number;
  /**
   * Released detections that the next ticks merge
   */
  due: number;
  /**
   * Detections that are never merged; their uploads are kept
   */
  dropped: number;
  totals: {
    /**
     * Lines that named the source, rejected ones included
     */
    lines: number;
    /**
     * Detections
     */
    accepted: number;
    /**
     * Rejected lines whose number is none, without the unassigned ones
     */
    invalid: number;
    /**
     * Rejected lines whose number is in no assigned range
     */
    unassigned: number;
    /**
     * Detections of fixed lines
     */
    fixedLine: number;
    /**
     * Numbers, distinct within an upload
     */
    numbers: number;
    /**
     * Those of these numbers that were on record before
     */
    known: number;
  };
  /**
   * `invalid` (with the unassigned) and `unassigned` as fractions of lines, `fixedLine` of detections, `known` of numbers
   */
  shares: {
    invalid: number;
    unassigned: number;
    fixedLine: number;
    known: number;
  };
  /**
   * UTC days on which its uploads were merged or held, oldest first
   */
  days: {
    day: string;
    /**
     * Lines that named the source, rejected ones included
     */
    lines: number;
    /**
     * Detections
     */
    accepted: number;
    /**
     * Rejected lines whose number is none, without the unassigned ones
     */
    invalid: number;
    /**
     * Rejected lines whose number is in no assigned range
     */
    unassigned: number;
    /**
     * Detections of fixed lines
     */
    fixedLine: number;
    /**
     * Numbers, distinct within an upload
     */
    numbers: number;
    /**
     * Those of these numbers that were on record before
     */
    known: number;
  }[];
}
export interface SourceRequest {
  /**
   * The name of the source, as in GET /v1/sources
   */
  source: string | null;
  /**
   * If several sources have this name: which of them, as in GET /v1/sources
   */
  tenant?: string;
  /**
   * If several sources have this name: which of them, as in GET /v1/sources
   */
  key?: string;
  /**
   * If several sources have this name: which of them, as in GET /v1/sources
   */
  every?: boolean;
}
export interface SourceDecision {
  /**
   * The generation that was made
   */
  generation: number;
  source: Source;
}
export interface CanaryRequest {
  /**
   * E.164, international digits, tel: URI, or national with `country`; the usual punctuation
   */
  number: string;
  note?: string | null;
}
export interface Canary {
  number: string;
  note: string | null;
  /**
   * Id of the API key
   */
  author: string;
  createdAt: string;
  /**
   * Detections of it in merged uploads, and the sources that reported them
   */
  hits: {
    detections: number;
    lastAt: string | null;
    sources: (string | null)[];
  };
}
export interface Canaries {
  canaries: Canary[];
}
export interface Health {
  ok: boolean;
  /**
   * null: nothing has been read yet
   */
  generation: number | null;
  /**
   * Since this isolate last confirmed that its snapshot is the newest
   */
  ageSeconds: number | null;
  /**
   * What lookups read numbers with
   */
  numberPlan: {
    /**
     * Of libphonenumber-js, whose metadata it is
     */
    version: string;
  };
  /**
   * What is not available: a recent inventory, recent lookups, API keys, or policies
   */
  failing?: ('inventory' | 'lookups' | 'keys' | 'rules')[];
}
export interface Status {
  generation: number;
  publishedAt: string | null;
  inventory: {
    numbers: number;
    /**
     * Numbers that have not aged out
     */
    active: number;
    /**
     * Date of the daily census that `active` is computed from; null: none was taken yet, and all numbers count as active
     */
    activeAsOf: string | null;
  };
  /**
   * Uploads that are accepted and not yet merged
   */
  waiting: {
    batches: number;
    detections: number;
    /**
     * Whether there are more than were counted
     */
    atLeast: boolean;
  };
  /**
   * Newest first
   */
  runs: {
    numbers: number;
    segments: number;
    bytes: number;
  }[];
  /**
   * Generations that a rollback can return to, oldest first
   */
  retained: {
    generation: number;
    publishedAt: string;
  }[];
  /**
   * Sources, and their detections that are held back until an admin releases or drops them
   */
  quarantine: {
    sources: number;
    detections: number;
  };
  /**
   * Batches that are kept out of the inventory as a whole, by rollbacks or since they could not be merged
   */
  setAside: {
    batches: number;
    /**
     * Those that no tick could merge
     */
    failed: number;
  };
  /**
   * What uploads are read with. `GET /healthz` tells what lookups are read with
   */
  numberPlan: {
    /**
     * Of libphonenumber-js, whose metadata it is
     */
    version: string;
  };
  /**
   * The last tick that took up uploads. Ticks that find none waiting leave it as it is
   */
  lastTick: {
    at: string | null;
    batches: number;
    detections: number;
    newNumbers: number;
    unreadable: number;
  };
}
export interface RollbackRequest {
  generation: number;
  /**
   * Merge again what was merged since. Otherwise it is set aside: kept, but not served
   */
  requeue?: boolean;
}
export interface RollbackAnswer {
  /**
   * The generation that was published
   */
  generation: number;
  /**
   * The generation whose inventory it has
   */
  restored: number;
  /**
   * Batches merged since then, which are now set aside or waiting again
   */
  batches: string[];
}
export interface NewKeyRequest {
  name: string;
  /**
   * @minItems 1
   * @maxItems 5
   */
  scopes: ('lookup' | 'ingest' | 'policy' | 'feed' | 'admin')[];
  tenant?: string;
  /**
   * null: no quota. Each location counts by itself
   */
  quota?: {
    /**
     * Requests a minute, in one location
     */
    perMinute: number;
  } | null;
}
export interface NewKeyAnswer {
  id: string;
  /**
   * The key is shown only this once; only its SHA-256 is stored
   */
  key: string;
}
export interface Keys {
  keys: Key[];
}
export interface Key {
  id: string;
  name: string;
  scopes: ('lookup' | 'ingest' | 'policy' | 'feed' | 'admin')[];
  tenant: string;
  quota: {
    perMinute: number;
  } | null;
  createdAt: string;
}
export interface FeedManifest {
  format: 2 | 1;
  generation: number;
  publishedAt: string;
  /**
   * Newest first; the segments of each in number order
   *
   * @maxItems 256
   */
  runs: {
    /**
     * @minItems 1
     * @maxItems 65536
     */
    segments: {
      /**
       * Names the segment in the origin
       */
      key: string;
      /**
       * The smallest of its numbers, E.164 digits as an integer
       */
      first: number;
      last: number;
      count: number;
      /**
       * Bytes at /v1/feed/slices/{sha256}
       */
      numbers: {
        sha256: string;
        bytes: number;
      };
      /**
       * Of a segment of version 1; without, numbers and verdicts are at /v1/feed/segments/{sha256 of numbers}
       */
      verdicts?: {
        sha256: string;
        bytes: number;
      };
      /**
       * Of any other: bytes of its verdicts
       */
      verdictsBytes?: number;
    }[];
  }[];
  /**
   * Bytes at /v1/feed/slices/{sha256}
   */
  config: {
    sha256: string;
    bytes: number;
  };
}
/**
 * RFC 9457 problem details; `type` ends in the code
 */
export interface Problem {
  type:
    | 'urn:ringfence:problem:invalid-number'
    | 'urn:ringfence:problem:invalid-request'
    | 'urn:ringfence:problem:invalid-body'
    | 'urn:ringfence:problem:invalid-policy'
    | 'urn:ringfence:problem:unauthorized'
    | 'urn:ringfence:problem:forbidden'
    | 'urn:ringfence:problem:not-found'
    | 'urn:ringfence:problem:not-retained'
    | 'urn:ringfence:problem:not-quarantined'
    | 'urn:ringfence:problem:not-set-aside'
    | 'urn:ringfence:problem:method-not-allowed'
    | 'urn:ringfence:problem:idempotency-conflict'
    | 'urn:ringfence:problem:ambiguous-source'
    | 'urn:ringfence:problem:too-many-keys'
    | 'urn:ringfence:problem:batch-unreadable'
    | 'urn:ringfence:problem:overrides-lost'
    | 'urn:ringfence:problem:limit-reached'
    | 'urn:ringfence:problem:payload-too-large'
    | 'urn:ringfence:problem:unsupported-media-type'
    | 'urn:ringfence:problem:range-not-satisfiable'
    | 'urn:ringfence:problem:quota-exceeded'
    | 'urn:ringfence:problem:internal-error'
    | 'urn:ringfence:problem:storage-unavailable';
  title: string;
  status: number;
  detail: string;
  /**
   * The field of the request that is at fault
   */
  field?: string;
  /**
   * Present if storage could not answer a lookup
   */
  verdict?: 'unknown';
  /**
   * The id of an internal error, by which it is found in the logs
   */
  id?: string;
  /**
   * The rule of a policy that cannot be used
   */
  rule?: string;
  /**
   * In the rule's expression; line and column count from 1
   */
  position?: {
    offset: number;
    line: number;
    column: number;
  } | null;
  /**
   * Generations that a rollback can return to
   */
  retained?: number[];
}
