/** The C reference of the benchmarks: compiled where gcc is found, asked sample by sample. */

/** What both sides measure. */
export type Workload = "pio" | "mmio" | "lifecycle" | "save" | "restore";

/** A running C program that measures what it is asked. */
export interface Reference extends AsyncDisposable {
  /** Nanoseconds that `count` rounds take. */
  measure(workload: Workload, count: number): Promise<number>;
}

/** Compiles and starts the reference; `undefined` where there is no gcc or no kernel header. */
export async function startReference(): Promise<Reference | undefined> {
  const folder = await Deno.makeTempDir();
  const program = `${folder}/reference`;
  const sources = ["reference.c", "save.c"].map((name) => new URL(name, import.meta.url).pathname);
  try {
    const { success } = await new Deno.Command("gcc", {
      args: ["-O2", "-o", program, ...sources],
      stderr: "inherit",
    }).output();
    if (!success) return;
    return talk(new Deno.Command(program, { stdin: "piped", stdout: "piped" }).spawn());
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return;
    throw error;
  } finally {
    // A running program keeps its file.
    await Deno.remove(folder, { recursive: true });
  }
}

function talk(process: Deno.ChildProcess): Reference {
  const writer = process.stdin.getWriter();
  const reader = process.stdout.pipeThrough(new TextDecoderStream()).getReader();
  return {
    async measure(workload, count) {
      await writer.write(new TextEncoder().encode(`${workload} ${count}\n`));
      let line = "";
      while (!line.endsWith("\n")) {
        const { value, done } = await reader.read();
        if (done) throw new Error("the C reference has ended");
        line += value;
      }
      return Number(line);
    },
    async [Symbol.asyncDispose]() {
      await writer.close();
      await process.status;
      await reader.cancel();
    },
  };
}
