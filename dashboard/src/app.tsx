// The page as a whole: what is going on first, then what it is made of.
import { useState } from 'preact/hooks';
import { AssociationsPanel } from './parts/associations.tsx';
import { BudgetsPanel } from './parts/budgets.tsx';
import { Header } from './parts/header.tsx';
import { IncidentsPanel } from './parts/incidents.tsx';
import { PeersPanel } from './parts/peers.tsx';
import { Summary } from './parts/summary.tsx';
import { TokenForm } from './parts/token-form.tsx';
import { TrafficPanel } from './parts/traffic.tsx';
import { TunnelsPanel } from './parts/tunnels.tsx';
import { UnknownSpisPanel } from './parts/unknown-spis.tsx';
import { type Store, useStore } from './store.ts';

export function App({ store }: { store: Store }) {
  const { link, snapshot } = useStore(store);
  const [chosen, choose] = useState<string | undefined>(undefined);
  if (link === 'token-needed') return <TokenForm take={(token) => store.useToken(token)} />;
  if (snapshot === undefined) {
    return (
      <main class="waiting" aria-busy={link === 'connecting'}>
        <p>{link === 'connecting' ? 'Asking the daemon…' : 'The daemon does not answer. Trying again…'}</p>
      </main>
    );
  }
  const { hosts } = snapshot;
  const show = (id: string): void => {
    choose(id);
    document.getElementById('incidents')?.scrollIntoView({ block: 'nearest' });
  };
  return (
    <>
      <a class="skip" href="#main">
        Skip to the tunnels
      </a>
      <Header store={store} />
      {link === 'lost' && (
        <p class="banner" role="status">
          The daemon does not answer. What you see is from{' '}
          {new Date(snapshot.atMs).toLocaleTimeString('en-GB')}. Trying again…
        </p>
      )}
      <main id="main" tabIndex={-1}>
        <Summary hosts={hosts} incidents={store.incidents} unknownSpis={store.unknownSpis} />
        <div class="columns">
          <div class="column">
            <TrafficPanel hosts={hosts} />
            <TunnelsPanel hosts={hosts} />
            <AssociationsPanel hosts={hosts} />
            <UnknownSpisPanel
              hosts={hosts}
              rows={store.unknownSpis}
              why={(host, spi) => store.server.why(host, spi)}
              showIncident={show}
            />
            <PeersPanel hosts={hosts} />
          </div>
          <div class="column">
            <IncidentsPanel hosts={hosts} incidents={store.incidents} chosen={chosen} choose={choose} />
            <BudgetsPanel hosts={hosts} />
          </div>
        </div>
      </main>
      <footer>
        wayward {hosts[0]?.version} · <code>wayward watch</code> shows this in a terminal
      </footer>
      <p class="unseen" aria-live="polite">
        {store.announcement}
      </p>
    </>
  );
}
