// SPDX-License-Identifier: LGPL-2.1-or-later
// The real daemon on a private bus, a free port and a temporary directory, with the real tools around it.
import { spawn, execFile } from 'node:child_process';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { createInterface } from 'node:readline';
import { once } from 'node:events';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';

const run = promisify(execFile);
const build = process.env.HARK_BUILD_DIR;
if (!build) throw new Error('HARK_BUILD_DIR must name the build directory');
export const harkd = join(build, 'src/daemon/harkd');
export const harkctl = join(build, 'src/ctl/harkctl');

// Sanitizers slow everything down; nothing here measures time.
export const PATIENCE_MS = 60000;

export class Bus {
  static async start() {
    const self = new Bus();
    self.process = spawn('dbus-daemon', ['--session', '--nofork', '--print-address=1'],
                         // It warns that it may not raise its file limit, and says nothing else while it works.
                         { stdio: ['ignore', 'pipe', 'ignore'] });
    self.lines = createInterface({ input: self.process.stdout });
    [self.address] = await once(self.lines, 'line');
    return self;
  }

  async stop() {
    this.lines.close();
    const gone = once(this.process, 'exit');
    this.process.kill();
    await gone;
  }
}

export class Hub {
  static async start({ settings = {}, env = {}, options = [], program } = {}) {
    const self = new Hub();
    self.directory = await mkdtemp(join(tmpdir(), 'hark-test-'));
    self.bus = await Bus.start();
    self.settings = settings;
    self.env = env;
    self.options = options;
    self.program = program;
    self.log = [];
    self.config = join(self.directory, 'harkd.conf');
    try {
      await self.spawn();
    } catch (error) {
      // A bus left running would keep the whole test from ending.
      await self.bus.stop();
      await rm(self.directory, { recursive: true });
      throw error;
    }
    return self;
  }

  async writeConfig() {
    const all = {
      'listen.address': '127.0.0.1', 'listen.port': this.port ?? 0,
      'store.path': join(this.directory, 'hark.db'), 'bus.type': this.bus.address,
      // Tests are one user in a hurry; what the limits do has tests of its own.
      'limits.requests-per-second': 0, 'limits.messages-per-second': 0, 'limits.forwards-per-second': 0, 'limits.bytes-per-second': 0,
      // Most tests make members by the way, and do not want to hear of it.
      'notifications.raise': 'reaction;mention;invitation',
      // Unread numbers come when they come; who looks at them says how soon.
      'limits.connections-per-address': 0, 'chat.unread-interval': '1h', 'log.level': 'debug', ...this.settings,
    };
    const sections = {};
    for (const [name, value] of Object.entries(all)) {
      const [section, key] = name.split('.');
      (sections[section] ??= []).push(`${key}=${value}`);
    }
    await writeFile(this.config, Object.entries(sections).map(([s, lines]) => `[${s}]\n${lines.join('\n')}\n`).join('\n'));
  }

  async spawn() {
    await this.writeConfig();
    this.process = spawn(this.program ?? harkd, ['--config', this.config, ...this.options], {
      stdio: ['ignore', 'ignore', 'pipe'],
      env: { ...process.env, DBUS_SESSION_BUS_ADDRESS: this.bus.address, G_DEBUG: 'fatal-warnings', ...this.env },
    });
    this.exited = once(this.process, 'exit').then(([code, signal]) => ({ code, signal }));
    const lines = createInterface({ input: this.process.stderr });
    const ready = new Promise((resolve) => {
      lines.on('line', (line) => {
        this.log.push(line);
        const found = line.match(/Listening on (\S+)/);
        if (found) {
          this.port = Number(found[1].replace(/.*:/, '')) || this.port;
          this.listening = found[1];
        }
        if (!/\bReady\b/.test(line)) return;
        resolve(true);
        this.readyAgain?.(true);
      });
    });
    const outcome = await Promise.race([ready, this.exited]);
    if (outcome !== true)
      throw new Error(`harkd ended before it was ready: ${JSON.stringify(outcome)}\n${this.log.join('\n')}`);
  }

  get origin() {
    return `http://127.0.0.1:${this.port}`;
  }

  url(token, query = '') {
    return `ws://127.0.0.1:${this.port}/ws/${token ? `${token}/` : ''}${query}`;
  }

  async ctl(...args) {
    const { stdout } = await run(harkctl, ['--address', this.bus.address, '--json', ...args], { env: { ...process.env, ...this.env } });
    return stdout.trim() ? JSON.parse(stdout) : null;
  }

  async ctlText(...args) {
    const { stdout } = await run(harkctl, ['--address', this.bus.address, ...args], { env: { ...process.env, LC_ALL: 'C.UTF-8' } });
    return stdout;
  }

  // How a call of harkctl fails: { code, stderr }.
  async ctlFailure(...args) {
    try {
      await run(harkctl, ['--address', this.bus.address, ...args]);
    } catch (error) {
      return { code: error.code, stderr: error.stderr };
    }
    throw new Error(`harkctl ${args.join(' ')} was expected to fail`);
  }

  async busctl(...args) {
    const { stdout } = await run('busctl', [`--address=${this.bus.address}`, ...args]);
    return stdout.trim();
  }

  // A user with a token: { id, name, token }.
  async user(name, ...options) {
    const made = await this.ctl('user', 'add', name, ...options);
    const token = await this.ctl('token', 'create', name);
    return { id: made.user_id, name, token: token.token, tokenId: token.token_id };
  }

  // Another program in the place of the running one; resolves when that is ready.
  async upgrade(request = () => run(this.program ?? harkd, ['--config', this.config, '--upgrade'])) {
    const ready = new Promise((resolve) => { this.readyAgain = resolve; });
    await request();
    const outcome = await Promise.race([ready, this.exited]);
    if (outcome !== true) throw new Error(`harkd did not go on: ${JSON.stringify(outcome)}\n${this.log.slice(-40).join('\n')}`);
  }

  async kill9() {
    this.process.kill('SIGKILL');
    await this.exited;
  }

  async restart() {
    await this.end();
    await this.spawn();
  }

  // An orderly end: exit status 0, or the test that asked for it fails.
  async end() {
    this.process.kill('SIGTERM');
    const { code, signal } = await this.exited;
    if (code !== 0)
      throw new Error(`harkd ended with ${code ?? signal}\n${this.log.slice(-40).join('\n')}`);
  }

  async stop() {
    try {
      if (this.process.exitCode === null && this.process.signalCode === null) await this.end();
    } finally {
      await this.bus.stop();
      await rm(this.directory, { recursive: true, force: true });
    }
  }
}
