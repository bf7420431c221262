/** The bundle started by itself as one of its children (entry.ts); from sources each of them is a file of its own. */
export async function runChild(name: string | undefined, request: string | undefined): Promise<void> {
  if (name === 'tracer/main.ts') await import('./tracer/main.ts');
  else if (name === 'sweep-worker.ts') (await import('./sweep-worker.ts')).start();
  else (await import('./child.ts')).serve(request);
}
