// A part of the page with a heading, which assistive programs can jump to.
import type { ComponentChildren } from 'preact';

export function Panel(props: {
  id: string;
  title: string;
  note?: ComponentChildren;
  children: ComponentChildren;
}) {
  const heading = `${props.id}-title`;
  return (
    <section class="panel" id={props.id} aria-labelledby={heading}>
      <header>
        <h2 id={heading}>{props.title}</h2>
        {props.note !== undefined && <p class="note">{props.note}</p>}
      </header>
      {props.children}
    </section>
  );
}

export function Empty({ children }: { children: ComponentChildren }) {
  return <p class="empty">{children}</p>;
}

/** A word with a colour that says the same. */
export function Badge({ tone, children }: { tone: string; children: ComponentChildren }) {
  return <span class={`badge ${tone}`}>{children}</span>;
}
