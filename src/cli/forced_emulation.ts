import type { Backend } from "../suite/requirement.ts";

/** The parameter by which KVM emulates what a guest puts behind a certain prefix. */
const forceEmulationPrefix = "/sys/module/kvm/parameters/force_emulation_prefix";

/**
 * Lets guests ask for KVM's instruction emulator while a run lasts, which cases that judge it need:
 * sets the module parameter `kvm.force_emulation_prefix`, and sets it back at the end.
 *
 * Nothing is set where it cannot be, or where another process has a VM: that is not ours to change.
 */
export class ForcedEmulation implements Disposable {
  readonly #parameter: string;
  readonly #before: string | undefined;
  readonly #interrupted = () => this.#end(130);
  readonly #terminated = () => this.#end(143);

  /**
   * Sets the parameter, if it can be.
   *
   * @param backend KVM's module for the vendor; the others emulate every guest anyway
   * @param parameter file of the parameter
   * @param processes folder of what runs on this machine
   */
  constructor(
    backend: Backend,
    parameter: string = forceEmulationPrefix,
    processes: string = "/proc",
  ) {
    this.#parameter = parameter;
    if (backend !== "svm" && backend !== "vmx" || isAnotherVmThere(processes)) return;
    try {
      const before = Deno.readTextFileSync(parameter).trim();
      if (before !== "0") return;
      Deno.writeTextFileSync(parameter, "1");
      this.#before = before;
    } catch {
      // Not root, a sysfs that is read-only, or a kernel that sets it only when it loads KVM.
      return;
    }
    Deno.addSignalListener("SIGINT", this.#interrupted);
    Deno.addSignalListener("SIGTERM", this.#terminated);
  }

  #end(code: number): void {
    this[Symbol.dispose]();
    Deno.exit(code);
  }

  /** Sets the parameter back. */
  [Symbol.dispose](): void {
    if (this.#before === undefined) return;
    Deno.removeSignalListener("SIGINT", this.#interrupted);
    Deno.removeSignalListener("SIGTERM", this.#terminated);
    Deno.writeTextFileSync(this.#parameter, this.#before);
  }
}

/** Whether a process but this one has a VM, as far as it can be seen. */
function isAnotherVmThere(processes: string): boolean {
  for (const { name } of Deno.readDirSync(processes)) {
    if (!/^\d+$/.test(name) || name === String(Deno.pid)) continue;
    if (hasVm(`${processes}/${name}/fd`)) return true;
  }
  return false;
}

function hasVm(folder: string): boolean {
  try {
    for (const { name } of Deno.readDirSync(folder)) {
      if (Deno.readLinkSync(`${folder}/${name}`).startsWith("anon_inode:kvm-vm")) return true;
    }
  } catch {
    // It has ended, or is not ours to look into.
  }
  return false;
}
