// The page in a real browser, before the real demonstration: it loads, a gateway is crashed, the incident comes and goes.
// Screenshots of both themes and two sizes are left in test-output/page.
import assert from 'node:assert/strict';
import { type ChildProcess, spawn } from 'node:child_process';
import { existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { gzipSync } from 'node:zlib';
import axe from 'axe-core';
import { type Browser, chromium, type Page } from 'playwright-core';
import type { Snapshot } from '#control';

const browserPath = '/usr/bin/chromium';
const screenshots = 'test-output/page';
const main = new URL('../../../dist/bundle/main.js', import.meta.url).pathname;
const built = new URL('../../../dist/dashboard/', import.meta.url).pathname;
/** The machine may be busy with other tests. */
const patienceMs = 90_000;

const sizes = [
  { name: '1280x800', width: 1280, height: 800 },
  { name: '390x844', width: 390, height: 844 },
] as const;
const themes = ['light', 'dark'] as const;

class Demonstration {
  readonly #process: ChildProcess;
  readonly #folder = mkdtempSync(join(tmpdir(), 'wayward-page-'));
  readonly url: Promise<string>;

  constructor() {
    const words = [main, 'demo', '--http', '--socket', join(this.#folder, 'control')];
    this.#process = spawn(process.execPath, words, { stdio: ['ignore', 'pipe', 'inherit'] });
    let out = '';
    this.url = new Promise((resolve, reject) => {
      this.#process.stdout?.setEncoding('utf8').on('data', (text: string) => {
        out += text;
        const found = /http:\/\/127\.0\.0\.1:\d+\/#token=\S+/.exec(out);
        if (found !== null) resolve(found[0]);
      });
      this.#process.once('exit', () => reject(new Error(`the demonstration ended\n${out}`)));
    });
  }

  async end(): Promise<void> {
    const ended = new Promise((resolve) => this.#process.once('exit', resolve));
    if (this.#process.exitCode === null) {
      this.#process.kill('SIGINT');
      await ended;
    }
    rmSync(this.#folder, { recursive: true, force: true });
  }
}

/** A page that notes what it should never do. */
class Visit {
  readonly page: Page;
  readonly wrong: string[] = [];

  private constructor(page: Page) {
    this.page = page;
    page.setDefaultTimeout(patienceMs);
    page.on('console', (message) => {
      if (message.type() === 'error' || message.type() === 'warning') this.wrong.push(message.text());
    });
    page.on('pageerror', (error) => this.wrong.push(String(error)));
    page.on('request', (request) => {
      if (!request.url().startsWith('http://127.0.0.1:')) this.wrong.push(`asks ${request.url()}`);
    });
  }

  static async of(browser: Browser, theme: 'light' | 'dark', size: (typeof sizes)[number]): Promise<Visit> {
    const { width, height } = size;
    const context = await browser.newContext({ colorScheme: theme, viewport: { width, height } });
    return new Visit(await context.newPage());
  }

  /** Playwright's own way needs eval, which the page's policy forbids. */
  async until(expression: string): Promise<void> {
    const end = Date.now() + patienceMs;
    while (!(await this.page.evaluate(expression))) {
      if (Date.now() > end) throw new Error(`it did not come: ${expression}\n${await this.page.content()}`);
      await new Promise((resolve) => setTimeout(resolve, 50));
    }
  }

  /**
   * Sees also what stands for a moment only: `waitFor` of Playwright looks twice a second in the end, and a recovery takes
   * less. It looks from the call on: call it before what causes the sight.
   */
  async appears(selector: string, text: string): Promise<void> {
    const seen = await this.page.evaluate(`new Promise((resolve) => {
      const look = () => {
        if (![...document.querySelectorAll(${JSON.stringify(selector)})].some(
          ({ textContent }) => textContent.includes(${JSON.stringify(text)}))) return;
        observer.disconnect();
        resolve(true);
      };
      const observer = new MutationObserver(look);
      observer.observe(document.body, { subtree: true, childList: true, characterData: true, attributes: true });
      setTimeout(resolve, ${patienceMs}, false);
      look();
    })`);
    if (seen !== true) throw new Error(`no ${selector} with ${text}\n${await this.page.content()}`);
  }

  /** How many incidents of this host, by now, ended with traffic. */
  toldBack(host: string): Promise<number> {
    return this.page
      .locator('.others button', { hasText: `${host}: demo` })
      .filter({ hasText: 'traffic is back' })
      .count();
  }

  /** Until there is one more of these. A crash before that is refused. */
  async oneMoreTold(host: string, before: number): Promise<void> {
    await this.until(
      `[...document.querySelectorAll('.others button')].filter(({ textContent }) =>
        textContent.includes('${host}: demo') && textContent.includes('traffic is back')).length > ${before}`,
    );
  }

  async shoot(name: string): Promise<void> {
    await this.page.screenshot({ path: join(screenshots, `${name}.png`) });
  }

  /** No serious or critical issue for those who do not see the page, or not well. */
  async assertAccessible(where: string): Promise<void> {
    await this.page.evaluate(axe.source);
    const found = (await this.page.evaluate('axe.run()')) as {
      readonly violations: readonly {
        readonly id: string;
        readonly impact: string;
        readonly nodes: readonly { readonly html: string; readonly failureSummary: string }[];
      }[];
      readonly passes: readonly unknown[];
    };
    assert.ok(found.passes.length > 20, 'axe looked at next to nothing');
    const grave = found.violations.filter(({ impact }) => impact === 'serious' || impact === 'critical');
    const said = grave.map(({ id, nodes }) => `${id}: ${nodes[0]?.html} ${nodes[0]?.failureSummary}`);
    assert.deepEqual(said, [], where);
  }

  async close(): Promise<void> {
    await this.page.context().close();
  }
}

describe('the page in a browser', {
  skip: existsSync(browserPath) ? false : `needs ${browserPath}`,
}, () => {
  let demo: Demonstration;
  let browser: Browser;
  let url: string;

  before(async () => {
    mkdirSync(screenshots, { recursive: true });
    demo = new Demonstration();
    browser = await chromium.launch({
      executablePath: browserPath,
      args: [
        '--no-sandbox',
        '--disable-gpu',
        '--disable-quic',
        '--no-first-run',
        '--disable-background-networking',
        '--disable-component-update',
        '--disable-sync',
      ],
    });
    url = await demo.url;
  });

  after(async () => {
    await browser?.close();
    await demo?.end();
  });

  for (const [theme, side, key] of [
    ['light', 'right', undefined],
    ['dark', 'left', 'Enter'],
  ] as const) {
    test(`${theme}: tunnels stand, ${side} is crashed${key === undefined ? '' : ' by keyboard'}, and the incident is told until traffic is back`, async () => {
      const visit = await Visit.of(browser, theme, sizes[0]);
      const { page } = visit;
      await page.goto(url);
      await page.locator('#tunnels tbody tr').nth(1).waitFor();
      await visit.until("document.querySelectorAll('#tunnels tr.gone').length === 0");
      await page
        .locator('#tunnels tbody b', { hasText: /^\d.*bit\/s/ })
        .first()
        .waitFor();
      // The token is not left where it could be copied along with the address.
      assert.doesNotMatch(page.url(), /token/);
      await visit.shoot(`${theme}-1280x800-calm`);
      await visit.assertAccessible(`${theme}, all is well`);

      const survivor = side === 'left' ? 'right' : 'left';
      const crash = page.getByRole('button', { name: `Crash ${side}` });
      let before = await visit.toldBack(survivor);
      await Promise.all([
        visit.appears('.host.bad', side),
        visit.appears('#incidents .badge', 'recovering'),
        key === undefined ? crash.click() : crash.press(key),
      ]);
      await visit.shoot(`${theme}-1280x800-recovering`);
      await visit.assertAccessible(`${theme}, recovering`);

      // On a busy machine there are false alarms beside it, and before.
      await visit.oneMoreTold(survivor, before);
      await page
        .locator('.others button', { hasText: `${survivor}: demo` })
        .filter({ hasText: 'traffic is back' })
        .first()
        .click();
      await page.locator('#incidents .timeline li', { hasText: 'IKE_AUTH request' }).first().waitFor();
      const entries = await page.locator('#incidents .timeline li').allInnerTexts();
      assert.match(entries.at(-1) ?? '', /: back/);
      // The first packet after the crash may be the ESP of a tunnel, or the question whether we live.
      assert.match((await page.locator('#unknown-spis').textContent()) ?? '', /(ESP|IKE) [0-9a-f]{8}/i);
      await visit.until("document.querySelectorAll('#tunnels tr:not(.gone)').length === 3");
      await visit.shoot(`${theme}-1280x800-recovered`);
      await visit.assertAccessible(`${theme}, recovered`);

      // Whose was it: asked of ESP, so it is crashed until ESP came first.
      const why = page.locator('#unknown-spis button', { hasText: 'why' });
      for (let crashes = 1; (await why.count()) === 0; crashes += 1) {
        assert.ok(crashes < 5, 'no ESP of unknown SPI after five crashes');
        before = await visit.toldBack(survivor);
        await Promise.all([visit.appears('.host.bad', side), crash.click()]);
        await visit.oneMoreTold(survivor, before);
        await visit.until("document.querySelectorAll('#tunnels tr:not(.gone)').length === 3");
      }
      await why.first().click();
      await page.locator('#unknown-spis pre', { hasText: /SPI [0-9a-f]{8}/ }).waitFor();
      await visit.assertAccessible(`${theme}, with a story`);
      assert.deepEqual(visit.wrong, []);
      await visit.close();
    });
  }

  for (const theme of themes) {
    test(`${theme}: on a telephone nothing is wider than the screen`, async () => {
      const visit = await Visit.of(browser, theme, sizes[1]);
      const { page } = visit;
      await page.goto(url);
      await page.locator('#incidents .timeline li').first().waitFor();
      await visit.shoot(`${theme}-390x844`);
      await page.screenshot({ path: join(screenshots, `${theme}-390x844-full.png`), fullPage: true });
      assert.equal(await page.evaluate('document.documentElement.scrollWidth'), 390);
      await visit.assertAccessible(`${theme}, telephone`);
      assert.deepEqual(visit.wrong, []);
      await visit.close();
    });
  }

  test('colours can be chosen, and stay chosen', async () => {
    const visit = await Visit.of(browser, 'light', sizes[0]);
    const { page } = visit;
    await page.goto(url);
    const ground = (): Promise<unknown> =>
      page.evaluate('getComputedStyle(document.documentElement).backgroundColor');
    await page.locator('#tunnels').waitFor();
    const light = await ground();
    const button = page.getByRole('button', { name: /^Colours/ });
    await button.click();
    await button.click();
    assert.notEqual(await ground(), light);
    await page.reload();
    await page.locator('#tunnels').waitFor();
    assert.notEqual(await ground(), light);
    await visit.close();
  });

  test('a peer that may move says so, with its last move', async () => {
    const visit = await Visit.of(browser, 'light', sizes[0]);
    const { page } = visit;
    const token = url.replace(/.*token=/, '');
    const asked = await fetch(new URL('/api/v1/snapshot', url), {
      headers: { authorization: `Bearer ${token}` },
    });
    const snapshot = (await asked.json()) as Snapshot;
    const [first] = snapshot.hosts;
    assert.ok(first !== undefined && first.peers.length > 0);
    const from = { fromLocal: '10.0.0.1:4500', fromRemote: '192.0.2.2:4500' };
    const peers = first.peers.map((peer) => ({
      ...peer,
      mobility: { weDecide: false, furtherAddresses: ['2001:db8::7'], tunnelsTo: '192.0.2.77:4500' },
      lastMove: { by: 'peer', ...from, msAgo: 65_000 },
    }));
    const body = { ...snapshot, hosts: [{ ...first, peers }] };
    await page.route('**/api/v1/events', (route) =>
      route.fulfill({
        contentType: 'text/event-stream',
        body: `event: snapshot\ndata: ${JSON.stringify(body)}\n\n`,
      }),
    );
    await page.goto(url);
    const card = page.locator('#peers .peer').first();
    await card.waitFor();
    const told = (await card.textContent()) ?? '';
    assert.match(told, /The peer may move \(MOBIKE\), and can also be at 2001:db8::7/);
    assert.match(told, /Tunnels lead to 192\.0\.2\.77:4500 until it answers/);
    assert.match(told, /It moved 1 min 5 s ago from 192\.0\.2\.2:4500/);
    await visit.assertAccessible('a peer that moved');
    await card.screenshot({ path: join(screenshots, 'light-peer-moved.png') });
    await visit.close();
  });

  test('without a token, or with a wrong one, the page asks for it', async () => {
    const visit = await Visit.of(browser, 'light', sizes[0]);
    const { page } = visit;
    await page.goto(url.replace(/#.*/, ''));
    await page.getByLabel('Token').fill('wrong');
    await page.getByRole('button', { name: 'Open' }).click();
    await page.getByLabel('Token').waitFor();
    await visit.assertAccessible('without a token');
    await visit.shoot('light-1280x800-token');
    await page.getByLabel('Token').fill(url.replace(/.*token=/, ''));
    await page.keyboard.press('Enter');
    await page.locator('#tunnels').waitFor();
    await visit.close();
  });

  test('when the daemon ends the page says so, and keeps what it knew', async () => {
    const visit = await Visit.of(browser, 'dark', sizes[0]);
    const { page } = visit;
    await page.goto(url);
    await page.locator('#tunnels tbody tr').first().waitFor();
    await demo.end();
    await page.locator('.banner', { hasText: 'does not answer' }).waitFor();
    assert.ok((await page.locator('#tunnels tbody tr').count()) > 0);
    await visit.close();
  });
});

test('the page is less than 100 kB, compressed', () => {
  const files = readdirSync(built, { recursive: true })
    .map((name) => join(built, String(name)))
    .filter((name) => /\.(html|js|css|svg)$/.test(name));
  assert.ok(files.length >= 3);
  const bytes = files.reduce((sum, name) => sum + gzipSync(readFileSync(name)).length, 0);
  assert.ok(bytes < 100_000, `${bytes} octets`);
});
