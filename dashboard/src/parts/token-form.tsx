// Without a token there is nothing to see; this says where it is.
import { useState } from 'preact/hooks';

export function TokenForm({ take }: { take: (token: string) => void }) {
  const [token, setToken] = useState('');
  return (
    <main class="waiting">
      <form
        class="panel token"
        onSubmit={(event) => {
          event.preventDefault();
          if (token.trim() !== '') take(token.trim());
        }}
      >
        <h1>wayward</h1>
        <p>
          This page needs the daemon’s token. <code>wayward page</code> prints an address that has it.
        </p>
        <label>
          Token
          <input
            type="password"
            autocomplete="off"
            value={token}
            onInput={(event) => setToken(event.currentTarget.value)}
          />
        </label>
        <button type="submit" class="primary">
          Open
        </button>
      </form>
    </main>
  );
}
