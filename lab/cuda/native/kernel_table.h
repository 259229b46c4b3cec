// The table of a source's kernels: their arguments as C++ sees them. Included behind the source.
#pragma once

namespace course {
struct Parameter {
    bool pointer;
    char kind;
    unsigned size, element;
    const char *type;
};
struct Kernel {
    const char *name;
    void (*call)(void **arguments);
    int count;
    const Parameter *parameters;
    Kernel *next;
};
struct Symbol {
    const char *name;
    char *address;
    size_t size;
    bool constant;
    Symbol *next;
};
extern Kernel *kernels;
extern Symbol *symbols;

template <class T> struct Plain { typedef T type; };
template <class T> struct Plain<const T> { typedef T type; };
template <class T> struct Plain<volatile T> { typedef T type; };
template <class T> struct Plain<const volatile T> { typedef T type; };

// i, u, f, b, and the same for a vector's members and for halves; o: any other type.
template <class T> struct Sort { static const char kind = 'o'; static const unsigned size = sizeof(T); };
#define COURSE_SORT(T, KIND)                                                                 \
    template <> struct Sort<T> { static const char kind = KIND; static const unsigned size = sizeof(T); };
#define COURSE_VECTORS(T, NAME, KIND)                                                        \
    template <> struct Sort<NAME##1> : Sort<T> {};                                           \
    template <> struct Sort<NAME##2> : Sort<T> {};                                           \
    template <> struct Sort<NAME##3> : Sort<T> {};                                           \
    template <> struct Sort<NAME##4> : Sort<T> {};
COURSE_SORT(bool, 'b')
COURSE_SORT(char, 'i')
COURSE_SORT(signed char, 'i')
COURSE_SORT(short, 'i')
COURSE_SORT(int, 'i')
COURSE_SORT(long, 'i')
COURSE_SORT(long long, 'i')
COURSE_SORT(unsigned char, 'u')
COURSE_SORT(unsigned short, 'u')
COURSE_SORT(unsigned int, 'u')
COURSE_SORT(unsigned long, 'u')
COURSE_SORT(unsigned long long, 'u')
COURSE_SORT(float, 'f')
COURSE_SORT(double, 'f')
COURSE_VECTORS(signed char, char, 'i')
COURSE_VECTORS(unsigned char, uchar, 'u')
COURSE_VECTORS(short, short, 'i')
COURSE_VECTORS(unsigned short, ushort, 'u')
COURSE_VECTORS(int, int, 'i')
COURSE_VECTORS(unsigned int, uint, 'u')
COURSE_VECTORS(long long, longlong, 'i')
COURSE_VECTORS(unsigned long long, ulonglong, 'u')
COURSE_VECTORS(float, float, 'f')
COURSE_VECTORS(double, double, 'f')
#ifdef COURSE_HALF_HERE
template <> struct Sort<__half> { static const char kind = 'f'; static const unsigned size = 2; };
template <> struct Sort<__half2> { static const char kind = 'f'; static const unsigned size = 2; };
#endif
template <class T> struct ElementBytes { static const unsigned size = sizeof(T); };
template <> struct ElementBytes<void> { static const unsigned size = 0; };
template <> struct Sort<void> { static const char kind = 'v'; static const unsigned size = 0; };

template <class T> const char *type_name() { return __PRETTY_FUNCTION__; }
// size: of a scalar, or of one number of those that a pointer leads to.
template <class T> struct Describe {
    static Parameter make() { return {false, Sort<T>::kind, sizeof(T), 0, type_name<T>()}; }
};
template <class T> struct Describe<T *> {
    typedef typename Plain<T>::type E;
    static Parameter make() {
        return {true, Sort<E>::kind, Sort<E>::size, ElementBytes<E>::size, type_name<T *>()};
    }
};

template <unsigned... I> struct Indices {};
template <unsigned N, unsigned... I> struct Count : Count<N - 1, N - 1, I...> {};
template <unsigned... I> struct Count<0, I...> { typedef Indices<I...> type; };

template <auto F> struct Caller {
    static_assert(sizeof(F) == 0, "a __global__ function must return void: results go to memory");
    static bool enter(const char *) { return false; }
};
template <class... P, void (*F)(P...)> struct Caller<F> {
    template <unsigned... I>
    __attribute__((no_sanitize("thread"), no_sanitize_coverage))
    static void spread(void **a, Indices<I...>) { F(*(typename Plain<P>::type *)a[I]...); }
    __attribute__((no_sanitize("thread"), no_sanitize_coverage))
    static void call(void **a) { spread(a, typename Count<sizeof...(P)>::type()); }
    static bool enter(const char *name) {
        static const Parameter list[] = {Describe<typename Plain<P>::type>::make()...,
                                         Parameter()};
        static Kernel kernel = {name, call, (int)sizeof...(P), list, kernels};
        kernels = &kernel;
        return true;
    }
};
static inline bool enter_symbol(const char *name, const volatile void *address, size_t size, bool constant) {
    Symbol *symbol = new Symbol{name, (char *)address, size, constant, symbols};
    symbols = symbol;
    return true;
}
}  // namespace course
