/* A stand-in for NVIDIA's libnvidia-ml.so.1: those functions that pynvml calls for the nvidia driver, answering from the file that FAKE_NVML names.
 *
 * Lines of that file, fields separated by tabs:
 *   gpu   <uuid> <name> <memory, bytes> <PCI bus id> <MIG mode: 0 or 1> <NUMA nodes, a bit set>
 *   mig   <number> <uuid> <name> <memory, bytes>      a MIG device of the gpu above
 *   fail  <function> <gpu number, or -1: all> <NVML result>
 *   minor <gpu number> <N of /dev/nvidiaN>           without such a line it is the gpu's number
 *   nvlink <gpu number> <gpu number>                 joined with each other
 *   process <gpu number> <pid>    computes on it
 *   ecc   <gpu number> <uncorrectable errors since the last reset>
 *   rows  <gpu number> <whether remapping a row failed: 0 or 1>
 *   lost  <gpu number>            has fallen off the bus: whatever is asked of it fails
 *   use   <gpu number> <utilization, percent> <memory in use, bytes> <temperature, C> <power, mW>    without such a line all are 0
 *   xid   <gpu number> <Xid> <GPU instance, or -1> <compute instance, or -1>      an event; lines that come later are events that come later
 *
 * The file is read when NVML is initialised, when a device is looked for by its UUID, and when events are waited for. Who changes it under a
 * running program replaces it by renaming.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define EXPORT __attribute__((visibility("default")))
enum { SUCCESS = 0, UNINITIALIZED = 1, INVALID_ARGUMENT = 2, NOT_SUPPORTED = 3, NOT_FOUND = 6, INSUFFICIENT_SIZE = 7, UNKNOWN = 999 };
enum { TIMEOUT = 10, GPU_IS_LOST = 15 };
enum { MAX_XIDS = 64 };
enum { MAX_DEVICES = 64, MAX_FAILURES = 64, MIG_PER_GPU = 7 };

typedef struct device {
    int gpu, mig; /* numbers; mig is -1 for a GPU */
    char uuid[96], name[96], bus_id[32];
    unsigned long long memory, numa_nodes;
    unsigned int mig_mode;
} Device;

typedef struct { unsigned long long total, free, used; } Memory;
typedef struct { char legacy[16]; unsigned int domain, bus, device, id, subsystem; char bus_id[32]; } PciInfo; /* nvmlPciInfo_t */

static Device devices[MAX_DEVICES];
static struct { char function[64]; int gpu, result; } failures[MAX_FAILURES];
typedef struct { unsigned int pid; unsigned long long memory; unsigned int gpu_instance, compute_instance; } Process; /* nvmlProcessInfo_t, version 3 */
static struct { int gpu; unsigned int pid; } processes[MAX_DEVICES];
static unsigned long long ecc_errors[MAX_DEVICES];
static int process_count;
static unsigned int rows_failed[MAX_DEVICES];
static int lost[MAX_DEVICES];
static struct { unsigned int utilization, temperature, power; unsigned long long memory; } uses[MAX_DEVICES];
static struct { int gpu, gpu_instance, compute_instance; unsigned long long number; } xids[MAX_XIDS];
static int xid_count;
static unsigned int minors[MAX_DEVICES];
static unsigned char linked[MAX_DEVICES][MAX_DEVICES];
static int device_count, failure_count, gpu_count, users;

static void read_line(const char *line) {
    Device *d = &devices[device_count];
    int gpu, other;
    unsigned int failed;
    unsigned int minor;
    unsigned long long errors;
    unsigned int utilization, temperature, power;
    unsigned long long used;
    if (sscanf(line, "fail\t%63[^\t]\t%d\t%d", failures[failure_count].function, &failures[failure_count].gpu, &failures[failure_count].result) == 3) {
        failure_count++;
    } else if (sscanf(line, "gpu\t%95[^\t]\t%95[^\t]\t%llu\t%31[^\t]\t%u\t%llu", d->uuid, d->name, &d->memory, d->bus_id, &d->mig_mode, &d->numa_nodes) == 6) {
        minors[gpu_count] = (unsigned int)gpu_count;
        d->gpu = gpu_count++;
        d->mig = -1;
        device_count++;
    } else if (sscanf(line, "mig\t%d\t%95[^\t]\t%95[^\t]\t%llu", &d->mig, d->uuid, d->name, &d->memory) == 4) {
        d->gpu = gpu_count - 1;
        device_count++;
    } else if (process_count < MAX_DEVICES && sscanf(line, "process\t%d\t%u", &processes[process_count].gpu, &processes[process_count].pid) == 2) {
        process_count++;
    } else if (sscanf(line, "minor\t%d\t%u", &gpu, &minor) == 2 && gpu >= 0 && gpu < gpu_count) {
        minors[gpu] = minor;
    } else if (sscanf(line, "nvlink\t%d\t%d", &gpu, &other) == 2 && gpu >= 0 && gpu < MAX_DEVICES && other >= 0 && other < MAX_DEVICES) {
        linked[gpu][other] = linked[other][gpu] = 1;
    } else if (sscanf(line, "ecc\t%d\t%llu", &gpu, &errors) == 2 && gpu >= 0 && gpu < MAX_DEVICES) {
        ecc_errors[gpu] = errors;
    } else if (sscanf(line, "rows\t%d\t%u", &gpu, &failed) == 2 && gpu >= 0 && gpu < MAX_DEVICES) {
        rows_failed[gpu] = failed;
    } else if (sscanf(line, "lost\t%d", &gpu) == 1 && gpu >= 0 && gpu < MAX_DEVICES) {
        lost[gpu] = 1;
    } else if (sscanf(line, "use\t%d\t%u\t%llu\t%u\t%u", &gpu, &utilization, &used, &temperature, &power) == 5 && gpu >= 0 && gpu < MAX_DEVICES) {
        uses[gpu].utilization = utilization, uses[gpu].memory = used, uses[gpu].temperature = temperature, uses[gpu].power = power;
    } else if (xid_count < MAX_XIDS && sscanf(line, "xid\t%d\t%llu\t%d\t%d", &xids[xid_count].gpu, &xids[xid_count].number,
                                              &xids[xid_count].gpu_instance, &xids[xid_count].compute_instance) == 4) {
        xid_count++;
    } else {
        fprintf(stderr, "fake NVML: line not understood: %s\n", line);
        exit(70);
    }
}

static void read_state(void) {
    const char *path = getenv("FAKE_NVML");
    FILE *file = path ? fopen(path, "r") : NULL;
    char line[512];
    if (!file) {
        fprintf(stderr, "fake NVML: FAKE_NVML must name a readable file, not %s\n", path ? path : "nothing");
        exit(70);
    }
    device_count = failure_count = gpu_count = process_count = 0;
    memset(ecc_errors, 0, sizeof ecc_errors);
    memset(linked, 0, sizeof linked);
    memset(rows_failed, 0, sizeof rows_failed);
    memset(lost, 0, sizeof lost);
    memset(uses, 0, sizeof uses);
    xid_count = 0;
    while (device_count < MAX_DEVICES && failure_count < MAX_FAILURES && fgets(line, sizeof line, file)) read_line(line);
    fclose(file);
}

static int failure(const char *function, int gpu) {
    if (!users) return UNINITIALIZED;
    if (gpu >= 0 && gpu < MAX_DEVICES && lost[gpu]) return GPU_IS_LOST;
    for (int i = 0; i < failure_count; i++)
        if (!strcmp(failures[i].function, function) && (failures[i].gpu == -1 || failures[i].gpu == gpu)) return failures[i].result;
    return SUCCESS;
}

static int find(int gpu, int mig, Device **found) {
    for (int i = 0; i < device_count; i++)
        if (devices[i].gpu == gpu && devices[i].mig == mig) return *found = &devices[i], SUCCESS;
    return NOT_FOUND;
}

static int copy(const char *text, char *to, unsigned int size) {
    return (unsigned int)snprintf(to, size, "%s", text) < size ? SUCCESS : INSUFFICIENT_SIZE;
}

#define FAIL_IF_TOLD(gpu) do { int told = failure(__func__, gpu); if (told) return told; } while (0)

EXPORT int nvmlInitWithFlags(unsigned int flags) {
    (void)flags;
    read_state();
    users++;
    int result = failure(__func__, -1);
    if (result) users--;
    return result;
}

EXPORT int nvmlShutdown(void) {
    FAIL_IF_TOLD(-1);
    users--;
    return SUCCESS;
}

EXPORT const char *nvmlErrorString(int result) {
    return result == UNKNOWN ? "Unknown Error" : "A Failure Of The Fake";
}

EXPORT int nvmlDeviceGetCount_v2(unsigned int *count) {
    FAIL_IF_TOLD(-1);
    *count = (unsigned int)gpu_count;
    return SUCCESS;
}

EXPORT int nvmlDeviceGetHandleByIndex_v2(unsigned int index, Device **device) {
    FAIL_IF_TOLD((int)index);
    return find((int)index, -1, device) ? INVALID_ARGUMENT : SUCCESS;
}

EXPORT int nvmlDeviceGetUUID(Device *device, char *uuid, unsigned int size) {
    FAIL_IF_TOLD(device->gpu);
    return copy(device->uuid, uuid, size);
}

EXPORT int nvmlDeviceGetName(Device *device, char *name, unsigned int size) {
    FAIL_IF_TOLD(device->gpu);
    return copy(device->name, name, size);
}

EXPORT int nvmlDeviceGetMemoryInfo(Device *device, Memory *memory) {
    FAIL_IF_TOLD(device->gpu);
    unsigned long long used = device->mig >= 0 ? 0 : uses[device->gpu].memory;
    *memory = (Memory){.total = device->memory, .free = device->memory - used, .used = used};
    return SUCCESS;
}

EXPORT int nvmlDeviceGetPciInfo_v3(Device *device, PciInfo *info) {
    FAIL_IF_TOLD(device->gpu);
    if (device->mig >= 0) return NOT_SUPPORTED;
    memset(info, 0, sizeof *info);
    return copy(device->bus_id, info->bus_id, sizeof info->bus_id);
}

EXPORT int nvmlDeviceGetMemoryAffinity(Device *device, unsigned int words, unsigned long *nodes, int scope) {
    FAIL_IF_TOLD(device->gpu);
    if (device->mig >= 0 || scope != 0 || words < 1) return NOT_SUPPORTED;
    memset(nodes, 0, words * sizeof *nodes);
    nodes[0] = device->numa_nodes;
    return SUCCESS;
}

EXPORT int nvmlDeviceGetMigMode(Device *device, unsigned int *current, unsigned int *pending) {
    FAIL_IF_TOLD(device->gpu);
    *current = *pending = device->mig_mode;
    return SUCCESS;
}

EXPORT int nvmlDeviceGetMaxMigDeviceCount(Device *device, unsigned int *count) {
    FAIL_IF_TOLD(device->gpu);
    *count = MIG_PER_GPU;
    return SUCCESS;
}

EXPORT int nvmlDeviceGetMigDeviceHandleByIndex(Device *device, unsigned int index, Device **mig) {
    FAIL_IF_TOLD(device->gpu);
    return find(device->gpu, (int)index, mig);
}

EXPORT int nvmlDeviceGetHandleByUUID(const char *uuid, Device **device) {
    if (!users) return UNINITIALIZED;
    read_state();
    for (int i = 0; i < device_count; i++)
        if (!strcmp(devices[i].uuid, uuid)) {
            FAIL_IF_TOLD(devices[i].gpu);
            return *device = &devices[i], SUCCESS;
        }
    return NOT_FOUND;
}

EXPORT int nvmlDeviceGetComputeRunningProcesses_v3(Device *device, unsigned int *count, Process *found) {
    FAIL_IF_TOLD(device->gpu);
    unsigned int room = *count;
    *count = 0;
    for (int i = 0; i < process_count; i++)
        if (processes[i].gpu == device->gpu) {
            if (found && *count < room) found[*count] = (Process){.pid = processes[i].pid};
            ++*count;
        }
    return *count > room ? INSUFFICIENT_SIZE : SUCCESS;
}

EXPORT int nvmlDeviceGetTotalEccErrors(Device *device, int type, int counter, unsigned long long *errors) {
    FAIL_IF_TOLD(device->gpu);
    if (type != 1 || counter != 0) return NOT_SUPPORTED; /* uncorrected, volatile */
    *errors = ecc_errors[device->gpu];
    return SUCCESS;
}

EXPORT int nvmlDeviceGetMinorNumber(Device *device, unsigned int *minor) {
    FAIL_IF_TOLD(device->gpu);
    *minor = minors[device->gpu];
    return SUCCESS;
}

EXPORT int nvmlDeviceGetP2PStatus(Device *one, Device *other, int capability, int *status) {
    FAIL_IF_TOLD(one->gpu);
    if (capability != 2 || one->mig >= 0 || other->mig >= 0) return NOT_SUPPORTED; /* 2: NVLink */
    *status = linked[one->gpu][other->gpu] ? 0 : 5; /* NVML_P2P_STATUS_OK, NVML_P2P_STATUS_NOT_SUPPORTED */
    return SUCCESS;
}

EXPORT int nvmlDeviceGetRemappedRows(Device *device, unsigned int *correctable, unsigned int *uncorrectable, unsigned int *pending, unsigned int *failed) {
    FAIL_IF_TOLD(device->gpu);
    *correctable = *uncorrectable = *pending = 0;
    *failed = rows_failed[device->gpu];
    return SUCCESS;
}

EXPORT int nvmlDeviceIsMigDeviceHandle(Device *device, unsigned int *is_mig) {
    FAIL_IF_TOLD(device->gpu);
    *is_mig = device->mig >= 0;
    return SUCCESS;
}

EXPORT int nvmlDeviceGetDeviceHandleFromMigDeviceHandle(Device *mig, Device **gpu) {
    FAIL_IF_TOLD(mig->gpu);
    return find(mig->gpu, -1, gpu);
}

/* a MIG device's number stands for its GPU instance, and each has one compute instance */
EXPORT int nvmlDeviceGetGpuInstanceId(Device *mig, unsigned int *id) {
    FAIL_IF_TOLD(mig->gpu);
    return mig->mig < 0 ? NOT_SUPPORTED : (*id = (unsigned int)mig->mig, SUCCESS);
}

EXPORT int nvmlDeviceGetComputeInstanceId(Device *mig, unsigned int *id) {
    FAIL_IF_TOLD(mig->gpu);
    return mig->mig < 0 ? NOT_SUPPORTED : (*id = 0, SUCCESS);
}

typedef struct { unsigned int gpu, memory; } Utilization;

EXPORT int nvmlDeviceGetUtilizationRates(Device *device, Utilization *rates) {
    FAIL_IF_TOLD(device->gpu);
    if (device->mig >= 0) return NOT_SUPPORTED;
    *rates = (Utilization){.gpu = uses[device->gpu].utilization};
    return SUCCESS;
}

EXPORT int nvmlDeviceGetTemperature(Device *device, int sensor, unsigned int *degrees) {
    FAIL_IF_TOLD(device->gpu);
    if (device->mig >= 0 || sensor != 0) return INVALID_ARGUMENT;
    *degrees = uses[device->gpu].temperature;
    return SUCCESS;
}

EXPORT int nvmlDeviceGetPowerUsage(Device *device, unsigned int *milliwatts) {
    FAIL_IF_TOLD(device->gpu);
    if (device->mig >= 0) return NOT_SUPPORTED;
    *milliwatts = uses[device->gpu].power;
    return SUCCESS;
}

/* events */
enum { XID_CRITICAL_ERROR = 8 };
typedef struct event_set { int is_open, delivered, registered[MAX_DEVICES]; } EventSet;
typedef struct { Device *device; unsigned long long type, data; unsigned int gpu_instance, compute_instance; } EventData; /* nvmlEventData_t */
static EventSet event_set; /* one is enough */

EXPORT int nvmlEventSetCreate(EventSet **set) {
    FAIL_IF_TOLD(-1);
    event_set = (EventSet){.is_open = 1, .delivered = xid_count};
    *set = &event_set;
    return SUCCESS;
}

EXPORT int nvmlEventSetFree(EventSet *set) {
    FAIL_IF_TOLD(-1);
    set->is_open = 0;
    return SUCCESS;
}

EXPORT int nvmlDeviceGetSupportedEventTypes(Device *device, unsigned long long *types) {
    FAIL_IF_TOLD(device->gpu);
    *types = device->mig >= 0 ? 0 : XID_CRITICAL_ERROR;
    return SUCCESS;
}

EXPORT int nvmlDeviceRegisterEvents(Device *device, unsigned long long types, EventSet *set) {
    FAIL_IF_TOLD(device->gpu);
    if (!set->is_open || device->mig >= 0 || types != XID_CRITICAL_ERROR) return INVALID_ARGUMENT;
    set->registered[device->gpu] = 1;
    return SUCCESS;
}

EXPORT int nvmlEventSetWait_v2(EventSet *set, EventData *data, unsigned int timeout_ms) {
    (void)timeout_ms; /* nobody waits for long here */
    FAIL_IF_TOLD(-1);
    if (!set->is_open) return INVALID_ARGUMENT;
    read_state();
    while (set->delivered < xid_count) {
        int i = set->delivered++;
        if (xids[i].gpu < 0 || xids[i].gpu >= MAX_DEVICES || !set->registered[xids[i].gpu]) continue;
        *data = (EventData){.type = XID_CRITICAL_ERROR, .data = xids[i].number,
                            .gpu_instance = (unsigned int)xids[i].gpu_instance, .compute_instance = (unsigned int)xids[i].compute_instance};
        return find(xids[i].gpu, -1, &data->device);
    }
    return TIMEOUT;
}
