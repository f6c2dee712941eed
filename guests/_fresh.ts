import { type DriveContext, Kvm, KvmError, type Vm } from "../mod.ts";

/**
 * A VM beside the case's own, without memory or vCPU: for what has to be done before a vCPU is made.
 * What is done to it is recorded like what is done to the case's own.
 */
export function freshVm({ note }: Pick<DriveContext, "note">, type = 0): Vm {
  using kvm = Kvm.open();
  const vm = kvm.createVm(type);
  vm.observer = ({ name, operands, answer }) => note(name, operands, answer);
  return vm;
}

/** The errno with which KVM refuses something that a trace does not record, or `"none"`. */
export function refusal(body: () => unknown): string {
  try {
    body();
    return "none";
  } catch (error) {
    if (!(error instanceof KvmError)) throw error;
    return error.code;
  }
}
