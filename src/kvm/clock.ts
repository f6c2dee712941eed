/** A VM's kvmclock: `struct kvm_clock_data` (KVM_GET_CLOCK, KVM API 4.29). */
export interface ClockData {
  /** kvmclock, in nanoseconds. */
  clock: bigint;
  /** Bit 1: exact on all vCPUs; bit 2: `realtime` holds; bit 3: `host_tsc` holds. */
  flags: number;
  /** The host's real time at that moment, in nanoseconds since 1970. */
  realtime: bigint;
  /** The host's TSC at that moment, in cycles. */
  host_tsc: bigint;
}

/** Flag of {@link ClockData}: all vCPUs saw exactly this value (KVM_CLOCK_TSC_STABLE). */
export const CLOCK_TSC_STABLE = 2;
/** Flag of {@link ClockData}: `realtime` holds, or is to be taken account of (KVM_CLOCK_REALTIME). */
export const CLOCK_REALTIME = 4;
/** Flag of {@link ClockData}: `host_tsc` holds (KVM_CLOCK_HOST_TSC). */
export const CLOCK_HOST_TSC = 8;
