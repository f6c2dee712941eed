/**
 * Results as they come from something that hands them over one by one. Those that came before it
 * failed are given first; whoever takes no more ends it, and waits until it has ended.
 *
 * @param run hands results over until it is through or its signal is aborted
 */
export async function* streamResults<Result>(
  run: (signal: AbortSignal, take: (result: Result) => void) => Promise<void>,
): AsyncGenerator<Result> {
  const unwanted = new AbortController();
  const results: Result[] = [];
  let failure: { readonly error: unknown } | undefined;
  let ended = false;
  let wake = () => {};
  const take = (result: Result) => {
    results.push(result);
    wake();
  };
  const end = run(unwanted.signal, take).catch((error) => failure = { error }).then(() => {
    ended = true;
    wake();
  });
  try {
    while (!ended || results.length > 0) {
      if (results.length > 0) yield results.shift()!;
      else await new Promise<void>((resolve) => wake = resolve);
    }
  } finally {
    unwanted.abort();
    await end;
  }
  if (failure !== undefined) throw failure.error;
}
