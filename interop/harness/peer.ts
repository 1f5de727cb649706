// What a scenario can ask of either side, whichever implementation it is.

/** A Child SA as one side sees it. SPIs are eight hexadecimal digits. */
export interface PeerChild {
  readonly name: string;
  readonly inboundSpi: string;
  readonly outboundSpi: string;
  /** As its implementation prints them. */
  readonly localSelectors: readonly string[];
  readonly remoteSelectors: readonly string[];
  readonly mode: string;
  readonly suite: string;
}

/** An established IKE SA as one side sees it. SPIs are sixteen hexadecimal digits. */
export interface PeerIkeSa {
  readonly connection: string;
  readonly initiatorSpi: string;
  readonly responderSpi: string;
  readonly remoteHost: string;
  readonly remotePort: number;
  readonly suite: string;
  readonly children: readonly PeerChild[];
}

/** A running IKE daemon with its configuration. Every method throws when the daemon says no. */
export interface Peer {
  readonly kind: 'wayward' | 'strongswan';
  /** The folder its configuration is in; files may be added before `start` or before `reload`. */
  readonly folder: string;
  /** Everything it has logged. */
  log(): Promise<string>;
  start(): Promise<void>;
  stop(): Promise<void>;
  /** Ends it without a chance to say goodbye. */
  kill(): Promise<void>;
  reload(): Promise<void>;
  up(child: string): Promise<void>;
  /** Deletes the Child SA of this name. */
  downChild(child: string): Promise<void>;
  /** Deletes the IKE SA of this connection. */
  downIke(connection: string): Promise<void>;
  rekeyChild(child: string): Promise<void>;
  rekeyIke(connection: string): Promise<void>;
  /** IKE SAs that are established. */
  ikeSas(): Promise<readonly PeerIkeSa[]>;
}

/** The Child SAs of a peer, of all IKE SAs. */
export async function childSas(peer: Peer): Promise<readonly PeerChild[]> {
  return (await peer.ikeSas()).flatMap(({ children }) => children);
}
