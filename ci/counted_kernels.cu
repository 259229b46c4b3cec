// Kernels whose counters are known from theory: tests hold ours against it, ci/ncu_counters.py ncu's.
extern "C" __global__ void contiguous(const float *x, float *y, int n) {
    int i = blockIdx.x * blockDim.x + threadIdx.x;
    if (i < n) y[i] = 2.0f * x[i];
}

extern "C" __global__ void strided(const float *x, float *y, int n, int stride) {
    int i = blockIdx.x * blockDim.x + threadIdx.x;
    if (i < n) y[i] = x[i * stride];
}

extern "C" __global__ void offset(const float *x, float *y, int n, int first) {
    int i = blockIdx.x * blockDim.x + threadIdx.x;
    if (i < n) y[i] = x[i + first];
}

struct Point { float x, y, z, w; };

extern "C" __global__ void array_of_structures(const Point *p, float *out, int n) {
    int i = blockIdx.x * blockDim.x + threadIdx.x;
    if (i < n) out[i] = p[i].x + p[i].z;
}

extern "C" __global__ void structure_of_arrays(const float *x, const float *z, float *out, int n) {
    int i = blockIdx.x * blockDim.x + threadIdx.x;
    if (i < n) out[i] = x[i] + z[i];
}

extern "C" __global__ void transpose_naive(const float *in, float *out, int n) {
    int x = blockIdx.x * 32 + threadIdx.x, y = blockIdx.y * 32 + threadIdx.y;
    out[x * n + y] = in[y * n + x];
}

template <int WIDTH> __device__ void transpose_in(float (*tile)[WIDTH], const float *in, float *out, int n) {
    int x = blockIdx.x * 32 + threadIdx.x, y = blockIdx.y * 32 + threadIdx.y;
    tile[threadIdx.y][threadIdx.x] = in[y * n + x];
    __syncthreads();
    x = blockIdx.y * 32 + threadIdx.x;
    y = blockIdx.x * 32 + threadIdx.y;
    out[y * n + x] = tile[threadIdx.x][threadIdx.y];
}

extern "C" __global__ void transpose_tiled(const float *in, float *out, int n) {
    __shared__ float tile[32][32];
    transpose_in<32>(tile, in, out, n);
}

extern "C" __global__ void transpose_padded(const float *in, float *out, int n) {
    __shared__ float tile[32][33];
    transpose_in<33>(tile, in, out, n);
}

extern "C" __global__ void reduce_interleaved(const int *x, int *out) {
    __shared__ int part[256];
    int t = threadIdx.x;
    part[t] = x[blockIdx.x * 256 + t];
    __syncthreads();
    for (int s = 1; s < 256; s *= 2) {
        if (t % (2 * s) == 0) part[t] += part[t + s];
        __syncthreads();
    }
    if (t == 0) out[blockIdx.x] = part[0];
}

extern "C" __global__ void reduce_sequential(const int *x, int *out) {
    __shared__ int part[256];
    int t = threadIdx.x;
    part[t] = x[blockIdx.x * 256 + t];
    __syncthreads();
    for (int s = 128; s > 0; s /= 2) {
        if (t < s) part[t] += part[t + s];
        __syncthreads();
    }
    if (t == 0) out[blockIdx.x] = part[0];
}

extern "C" __global__ void reduce_shuffle(const int *x, int *out) {
    __shared__ int part[8];
    int t = threadIdx.x, sum = x[blockIdx.x * 256 + t];
    for (int s = 16; s > 0; s /= 2) sum += __shfl_down_sync(0xffffffffu, sum, s);
    if (t % 32 == 0) part[t / 32] = sum;
    __syncthreads();
    if (t < 8) {
        sum = part[t];
        for (int s = 4; s > 0; s /= 2) sum += __shfl_down_sync(0xffu, sum, s);
        if (t == 0) out[blockIdx.x] = sum;
    }
}

extern "C" __global__ void histogram(const unsigned char *x, unsigned int *bins, int n) {
    __shared__ unsigned int own[256];
    own[threadIdx.x] = 0;
    __syncthreads();
    int i = blockIdx.x * blockDim.x + threadIdx.x;
    if (i < n) atomicAdd(&own[x[i]], 1u);
    __syncthreads();
    atomicAdd(&bins[threadIdx.x], own[threadIdx.x]);
}

extern "C" __global__ void int4_unpack(const unsigned int *packed, char4 *out, int n) {
    int i = blockIdx.x * blockDim.x + threadIdx.x;
    if (i >= n) return;
    unsigned int word = packed[i];
    signed char v[8];
#pragma unroll
    for (int j = 0; j < 8; ++j) v[j] = (signed char)((int)(word << (28 - 4 * j)) >> 28);
    out[2 * i] = make_char4(v[0], v[1], v[2], v[3]);
    out[2 * i + 1] = make_char4(v[4], v[5], v[6], v[7]);
}

extern "C" __global__ void divergent(const float *x, float *y, int n) {
    int i = blockIdx.x * blockDim.x + threadIdx.x;
    if (i >= n) return;
    float v = x[i];
    if (threadIdx.x % 2) {
        for (int j = 0; j < 8; ++j) v = sqrtf(v) + 1.0f;
    } else {
        for (int j = 0; j < 4; ++j) v = v * v * 0.5f;
    }
    y[i] = v;
}
