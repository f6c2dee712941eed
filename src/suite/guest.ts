import type { Assembled } from "../x86/asm/assemble.ts";
import type { Handlers } from "../x86/descriptor_tables.ts";
import { memoryMap } from "../x86/memory_map.ts";
import { initialMemory, type MachineState, machineState } from "../x86/modes.ts";
import { parse } from "../trace/parse.ts";
import type { ExpectedTrace } from "../trace/event.ts";
import { type Case, CaseError } from "./case.ts";

/** A case made ready for a host: machine, program and expected trace. */
export interface Guest {
  readonly machine: MachineState;
  readonly assembled: Assembled;
  /** Guest memory from address 0, program included. */
  readonly memory: Uint8Array<ArrayBuffer>;
  readonly expected: ExpectedTrace;
}

/**
 * Assembles a case's program, lays out its memory and parses its trace.
 *
 * @throws {CaseError} when the program is too long or a handler's label is not there.
 * @throws {AssemblyError} when the program is wrong.
 * @throws {TraceError} when the trace is malformed.
 * @throws {MachineOptionsError} {@link DescriptorError} {@link PageTableError} when the machine is.
 */
export function prepareGuest(definition: Case): Guest {
  const { id, mode, guest, trace } = definition;
  const { address, size } = memoryMap.code;
  const bits = machineState(mode).bits;
  const assembled = guest.assemble({ bits, origin: address });
  if (assembled.bytes.length > size) {
    throw new CaseError(
      id,
      `the guest has ${assembled.bytes.length} bytes and room is for ${size}`,
    );
  }
  const handlers = resolveHandlers(definition, assembled);
  const machine = machineState(mode, { ...definition.machine, handlers });
  const memory = initialMemory(machine);
  memory.set(assembled.bytes, address);
  const text = typeof trace === "string" ? trace : trace(labelTexts(id, assembled));
  return { machine, assembled, memory, expected: parse(text) };
}

/** Address of a label of a case's guest. */
export function labelAddress(id: string, assembled: Assembled, label: string): bigint {
  const address = assembled.symbols.get(label);
  if (address === undefined) throw new CaseError(id, `the guest has no label ${label}`);
  return address;
}

function resolveHandlers(definition: Case, assembled: Assembled): Handlers | undefined {
  const { id, handlers } = definition;
  if (handlers === undefined) return;
  const resolve = (at: string | number) =>
    typeof at === "number" ? at : labelAddress(id, assembled, at);
  const resolved: Record<number, Handlers[number]> = {};
  for (const [vector, handler] of Object.entries(handlers)) {
    if (typeof handler !== "object") {
      resolved[Number(vector)] = resolve(handler);
    } else {
      const { at, ...rest } = handler;
      resolved[Number(vector)] = { ...rest, offset: resolve(at) };
    }
  }
  return resolved;
}

function labelTexts(id: string, assembled: Assembled): Record<string, string> {
  const texts: Record<string, string> = {};
  for (const [name, value] of assembled.symbols) texts[name] = `0x${value.toString(16)}`;
  return new Proxy(texts, {
    get(target, name) {
      if (typeof name === "string" && !(name in target)) {
        throw new CaseError(id, `its trace names the label ${name}, which the guest has not`);
      }
      return Reflect.get(target, name);
    },
  });
}
