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
       * ISO 3166-1 alpha-2, either case: where a number without calling code is dialled
       */
      country?: string;
      /**
       * What the number is about to be used for, for the rules of the policy
       */
      scenario?: string;
      /**
       * Also list the evidence
       */
      evidence?: 'true' | 'false';
      /**
       * What was known then: by the end of a UTC date (YYYY-MM-DD), or by a generation that is still retained. Rules and overrides are those of today. A line of several detections counts as one from its first day on, in full from its last
       */
      asOf?: string;
      /**
       * Also what the answer was made of, for `npm run verify-receipt`; not with `asOf`
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
       * One of `earlier`, instead of the policy in force
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
       * ISO 3166-1 alpha-2, either case: where a number without calling code is dialled
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
       * ISO 3166-1 alpha-2, either case: where a number without calling code is dialled
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
       * `older` of the page before
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
       * Last day, UTC, inclusive: at most 366 days in all. May lie ahead: then the figures are those so far, and period.complete is false
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
       * ISO 8601 date, or date-time with offset: only those that wait or were taken up since
       */
      since?: string;
      /**
       * Only those with lines of this source; empty: with lines that name none
       */
      source?: string;
      /**
       * `next` of the page before
       */
      after?: string;
    };
    answer: {
      /**
       * Those that wait, then those taken up, latest first
       */
      batches: {
        /**
         * As the upload was answered
         */
        batch: string;
        /**
         * waiting: for the next ticks. merged: in the inventory, but for what is held, or was dropped with its source. held: all of it is held back with its sources. set-aside: kept out by a rollback, or since a tick failed on it. withdrawing: taken back, and lookups answer as before until ticks have taken it out. withdrawn: nothing of it is in the inventory
         */
        state: 'waiting' | 'merged' | 'held' | 'set-aside' | 'withdrawing' | 'withdrawn';
        /**
         * null: uploaded with an Idempotency-Key and taken up, so that it is not known any more
         */
        receivedAt: string | null;
        /**
         * By a tick; null: it waits
         */
        takenUpAt: string | null;
        /**
         * That took it up first
         */
        generation: number | null;
        /**
         * Lines; null: the batch cannot be read
         */
        accepted: number | null;
        rejected: number | null;
        /**
         * That uploaded it; null: not known
         */
        tenant: string | null;
        /**
         * Of the accepted lines, those held back with their source
         */
        held: number;
        /**
         * The first twenty that it names; null: none
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
           * While it is withdrawing. queued: after others. gathering: ticks read the kept batches. rewriting: they write the inventory without it
           */
          step: ('queued' | 'gathering' | 'rewriting') | null;
        } | null;
      }[];
      /**
       * `after` of the page that follows; null: there is none
       */
      next: string | null;
    };
  };
  withdrawBatch: {
    path: {
      /**
       * As the upload was answered, or as GET /v1/batches lists it
       */
      id: string;
    };
    answer: {
      batch: string;
      state: 'withdrawing' | 'withdrawn';
      /**
       * When it was withdrawn: asked for again, nothing changes
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
       * As the upload was answered, or as GET /v1/batches lists it
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
       * As listed
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
  health: {
    answer: Health;
  };
  feedManifest: {
    headers?: {
      /**
       * ETag of what the client has
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
  country: string | null;
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
   * Accepted detections, exactly; 9007199254740991 stands for that many or more
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
   * 0: the built-in policy, in force where none was put
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
   * Rules that hardly do what they are meant to
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
     * Named by `rule` of an answer that it decides
     */
    id: string;
    /**
     * A CEL expression of type bool
     */
    when: string;
    action: 'allow' | 'flag' | 'challenge' | 'block';
    /**
     * `shadow`: reported, decides nothing
     */
    mode?: 'enforce' | 'shadow';
  }[];
  /**
   * When no rule matches
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
     * By the policy in force
     */
    present: {
      allow: number;
      flag: number;
      challenge: number;
      block: number;
    };
    /**
     * By the policy that is tried
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
     * By the policy in force
     */
    present: {
      allow: number;
      flag: number;
      challenge: number;
      block: number;
    };
    /**
     * By the policy that is tried
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
     * By the policy in force
     */
    present: {
      allow: number;
      flag: number;
      challenge: number;
      block: number;
    };
    /**
     * By the policy that is tried
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
     * By the policy in force
     */
    present: {
      allow: number;
      flag: number;
      challenge: number;
      block: number;
    };
    /**
     * By the policy that is tried
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
     * Numbers that it matches, whatever stands before it
     */
    matched: number;
    /**
     * Numbers whose action it decides
     */
    decided: number;
    /**
     * Numbers that it fails on at run time: skipped for these
     */
    failed: number;
  }[];
  warnings: {
    rule: string;
    detail: string;
  }[];
  /**
   * Of `numbers`, in their order
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
   * For those who find it later
   */
  reason: string;
  /**
   * ISO 8601 date or date-time, in the future; not given or null: until it is deleted
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
     * Replaced unread, since storage had lost them: what they said is in the entries before, or gone
     */
    lost?: ('policy' | 'overrides' | 'audit')[];
    /**
     * Of the policy
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
     * Id of the key that was made or deleted
     */
    key?: string;
    name?: string;
    scopes?: string[];
    /**
     * That was withdrawn or released
     */
    batch?: string;
    /**
     * Of a canary
     */
    number?: string;
    note?: string | null;
    /**
     * That was released or dropped, as GET /v1/sources has it
     */
    source?: {
      source: string | null;
      tenant?: string;
      key?: string;
      every?: true;
    };
    /**
     * That a rollback, a release or a drop made
     */
    generation?: number;
    /**
     * Whose inventory it has
     */
    restored?: number;
    requeue?: boolean;
  }[];
  /**
   * `before` of the page that follows; null: there is none
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
   * As `number` of a lookup
   */
  number: string;
  /**
   * ISO 3166-1 alpha-2: how a national number is dialled
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
   * http(s) URL; kept as host and SHA-256, not in the clear
   */
  link?: string;
  source?: string;
  /**
   * Of an aggregated line, not after `observedAt`
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
   * Accepted lines that had none of their own. Absent, like `ignoredFields`, if an upload from before these were counted is replayed
   */
  defaulted?: {
    label: number;
    channel: number;
    observedAt: number;
  };
  /**
   * Fields that were passed over: the first 20, and "…" if there were more. Digits are shown as `#`; a name that is no plain identifier, as its shape
   *
   * @maxItems 21
   */
  ignoredFields?: string[];
  /**
   * Only of an upload that is sent again. waiting: for the next ticks. merged: in the inventory, but for what the operator holds back. held: all of it is held back; told to keys with the scope `admin`. set-aside, withdrawn: none of it is in the inventory, see `detail`
   */
  state?: 'waiting' | 'merged' | 'held' | 'set-aside' | 'withdrawn';
  /**
   * Of set-aside and withdrawn: how to bring it back
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
   * What a source is held to (docs/QUALITY.md)
   */
  bounds: {
    [k: string]: number;
  };
}
export interface Source {
  /**
   * null: detections that name none
   */
  source: string | null;
  /**
   * Whose source it is; absent: of uploads from before that was kept
   */
  tenant?: string;
  /**
   * Id of the API key, of detections that name no source
   */
  key?: string;
  /**
   * All that the key uploads, whatever it names: more of it is in quarantine than is told apart
   */
  every?: true;
  /**
   * trusted: released, and not judged again for the reasons it was released for
   */
  state: 'accepted' | 'quarantined' | 'trusted';
  /**
   * Of the state; null: nothing was decided of it
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
     * Rejected: no number, but for the unassigned
     */
    invalid: number;
    /**
     * Rejected: a number in no assigned range
     */
    unassigned: number;
    /**
     * Detections of fixed lines
     */
    fixedLine: number;
    /**
     * Distinct within an upload
     */
    numbers: number;
    /**
     * Of those, on record before
     */
    known: number;
  };
  /**
   * Of lines, of lines, of detections, of numbers; `invalid` includes the unassigned
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
     * Rejected: no number, but for the unassigned
     */
    invalid: number;
    /**
     * Rejected: a number in no assigned range
     */
    unassigned: number;
    /**
     * Detections of fixed lines
     */
    fixedLine: number;
    /**
     * Distinct within an upload
     */
    numbers: number;
    /**
     * Of those, on record before
     */
    known: number;
  }[];
}
export interface SourceRequest {
  /**
   * As GET /v1/sources has it
   */
  source: string | null;
  /**
   * Where several are called so: which of them, as GET /v1/sources has it
   */
  tenant?: string;
  /**
   * Where several are called so: which of them, as GET /v1/sources has it
   */
  key?: string;
  /**
   * Where several are called so: which of them, as GET /v1/sources has it
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
   * Detections of it that ticks met, and who reported them
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
export interface Status {
  generation: number;
  publishedAt: string | null;
  inventory: {
    numbers: number;
    /**
     * Not aged out
     */
    active: number;
    /**
     * Date of the daily census that `active` goes by; null: none was taken yet, all count as active
     */
    activeAsOf: string | null;
  };
  /**
   * Accepted, not yet merged
   */
  waiting: {
    batches: number;
    detections: number;
    /**
     * There are more than were counted
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
   * Held back until an admin releases or drops it
   */
  quarantine: {
    sources: number;
    detections: number;
  };
  /**
   * Kept out of the inventory as a whole, by rollbacks or since they could not be merged
   */
  setAside: {
    batches: number;
    /**
     * Those that no tick could merge
     */
    failed: number;
  };
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
   * Merge again what was merged since. Otherwise it is set aside, kept but not served
   */
  requeue?: boolean;
}
export interface RollbackAnswer {
  /**
   * The generation that was made
   */
  generation: number;
  /**
   * The generation whose inventory it has
   */
  restored: number;
  /**
   * Merged since then, now set aside or waiting again
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
   * null: none. Each location counts for itself
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
   * Shown this once; only its SHA-256 is kept
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
export interface Health {
  ok: boolean;
  /**
   * null: nothing has been read yet
   */
  generation: number | null;
  /**
   * Since what is served was last confirmed to be the newest
   */
  ageSeconds: number | null;
  /**
   * What cannot be had: a recent inventory, lookups tried or asked for lately, API keys, policies
   */
  failing?: ('inventory' | 'lookups' | 'keys' | 'rules')[];
}
export interface FeedManifest {
  format: 1;
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
       * Bytes at /v1/feed/slices/{sha256}
       */
      verdicts: {
        sha256: string;
        bytes: number;
      };
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
   * Of the request, that is at fault
   */
  field?: string;
  /**
   * Of a lookup that storage could not answer
   */
  verdict?: 'unknown';
  /**
   * Of an internal error, to find it in the logs
   */
  id?: string;
  /**
   * Of a policy, that cannot be used
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
