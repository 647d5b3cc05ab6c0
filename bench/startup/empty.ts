/** What the edge Worker's start-up is measured against: as little as a Worker on Hono can be. */
import { Hono } from 'hono';

const app = new Hono();
app.get('/', (context) => context.text('hello'));

export default app;
