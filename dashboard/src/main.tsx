// The page: takes the token out of the address, follows the daemon, and shows what it says.
import { render } from 'preact';
import 'uplot/dist/uPlot.min.css';
import { App } from './app.tsx';
import { Store } from './store.ts';

const page = document.getElementById('page');
if (page === null) throw new Error('the page has no place');
render(<App store={new Store()} />, page);
