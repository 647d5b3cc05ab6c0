declare namespace Cloudflare {
  interface Env {
    readonly STORE: R2Bucket;
    readonly SLICES: KVNamespace;
    readonly QUOTA_10: RateLimit;
    readonly CONTROL: Fetcher;
    readonly RINGFENCE_ADMIN_KEY: string;
  }
  interface GlobalProps {
    mainModule: typeof import('./main.ts');
  }
}
