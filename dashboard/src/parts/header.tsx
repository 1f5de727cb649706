// Who speaks, whether it lives, and in a demonstration how to end that.
import { useState } from 'preact/hooks';
import type { HostSnapshot } from '../../../src/control/api/index.ts';
import { age } from '../format.ts';
import type { Store } from '../store.ts';
import { applyTheme, nextTheme, type Theme, themeNow } from '../theme.ts';

function Mark() {
  return (
    <svg class="mark" viewBox="0 0 32 32" aria-hidden="true">
      <path d="M3 22h6c5 0 4-13 9.500-13 4.500 0 5 7 .5 7-5 0-3 6 2 6h8" />
      <path d="m25 18 4 4-4 4" />
    </svg>
  );
}

function HostPill({ host, only }: { host: HostSnapshot; only: boolean }) {
  const down = host.state === 'down';
  const since = down ? 'restarting' : `up ${age(host.atMs - host.startedAtMs)}`;
  return (
    <li class={`host ${down ? 'bad' : 'good'}`}>
      <span class="dot" aria-hidden="true" />
      <strong>{only ? 'running' : host.name}</strong>
      <span>
        {down ? 'down, ' : ''}
        {since}
        {host.bootEpoch > 1 && `, start ${host.bootEpoch}`}
      </span>
    </li>
  );
}

function CrashButtons({ store, hosts }: { store: Store; hosts: readonly HostSnapshot[] }) {
  const [refusal, setRefusal] = useState('');
  const crash = async (name: string): Promise<void> => {
    try {
      setRefusal((await store.server.crash(name)) ?? '');
    } catch {
      setRefusal('the demonstration does not answer');
    }
  };
  return (
    <div class="crash">
      {refusal !== '' && (
        <span class="refusal" role="status">
          {refusal}
        </span>
      )}
      {hosts.map(({ name, state }) => (
        <button
          key={name}
          type="button"
          class="danger"
          disabled={state === 'down'}
          title={`Kill gateway ${name} with SIGKILL: it forgets every SA, and starts again`}
          onClick={() => void crash(name)}
        >
          Crash {name}
        </button>
      ))}
    </div>
  );
}

function ThemeButton() {
  const [theme, setTheme] = useState<Theme>(themeNow());
  const next = nextTheme(theme);
  return (
    <button
      type="button"
      class="quiet"
      aria-label={`Colours: ${theme}. Change to ${next}`}
      title={`Colours: ${theme}`}
      onClick={() => {
        applyTheme(next);
        setTheme(next);
      }}
    >
      <svg viewBox="0 0 20 20" aria-hidden="true">
        <circle cx="10" cy="10" r="7" fill="none" stroke="currentColor" stroke-width="1.6" />
        <path d="M10 3a7 7 0 0 1 0 14Z" fill="currentColor" />
      </svg>
    </button>
  );
}

export function Header({ store }: { store: Store }) {
  const { snapshot } = store;
  const hosts = snapshot?.hosts ?? [];
  return (
    <header class="top">
      <h1>
        <Mark />
        wayward
      </h1>
      <ul class="hosts" aria-label="Hosts">
        {hosts.map((host) => (
          <HostPill key={host.name} host={host} only={hosts.length === 1} />
        ))}
      </ul>
      {snapshot?.demonstration && <CrashButtons store={store} hosts={hosts} />}
      <ThemeButton />
    </header>
  );
}
