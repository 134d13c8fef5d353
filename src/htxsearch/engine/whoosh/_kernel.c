/* The inner loops of scoring, in C: the same functions as `kernel.py` has in numpy, and the same results.

   Arguments are buffers: numpy arrays that are contiguous, of the item size that each function names. Every document
   number is compared with the length of the array that it points into, so that a damaged index can write nowhere else.
   Only the stable ABI of Python 3.11 is used: one build serves every later version. */

#define Py_LIMITED_API 0x030B0000
#define PY_SSIZE_T_CLEAN
#include <Python.h>
#include <errno.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#ifndef _WIN32
#include <sys/stat.h>
#include <unistd.h>
#endif

typedef struct {
    double weight;
    Py_buffer docs;
    Py_buffer tf;
    Py_buffer norm;
    Py_ssize_t count;
} Postings;

typedef struct {
    Py_ssize_t count;
    Postings *items;
} Group;

static int array_of(PyObject *object, Py_buffer *view, Py_ssize_t itemsize, int flags, const char *name)
{
    if (PyObject_GetBuffer(object, view, flags) < 0)
        return -1;
    if (view->itemsize == itemsize)
        return 0;
    PyBuffer_Release(view);
    PyErr_Format(PyExc_TypeError, "%s must have items of %zd bytes", name, itemsize);
    return -1;
}

static void release(Group *group)
{
    for (Py_ssize_t at = 0; at < group->count; at++) {
        PyBuffer_Release(&group->items[at].docs);
        PyBuffer_Release(&group->items[at].tf);
        PyBuffer_Release(&group->items[at].norm);
    }
    PyMem_Free(group->items);
    group->items = NULL;
    group->count = 0;
}

static int read_postings(PyObject *item, Postings *one)
{
    PyObject *docs, *tf, *norm;
    if (!item || !PyArg_ParseTuple(item, "dOOO", &one->weight, &docs, &tf, &norm))
        return -1;
    if (array_of(docs, &one->docs, 4, PyBUF_SIMPLE | PyBUF_ND, "docs") < 0)
        return -1;
    if (PyObject_GetBuffer(tf, &one->tf, PyBUF_SIMPLE | PyBUF_ND) < 0)
        goto no_tf;
    if (array_of(norm, &one->norm, 8, PyBUF_SIMPLE | PyBUF_ND, "norm") < 0)
        goto no_norm;
    one->count = one->docs.len / 4;
    Py_ssize_t size = one->tf.itemsize;
    if ((size == 1 || size == 2 || size == 4) && one->tf.len / size == one->count)
        return 0;
    PyErr_SetString(PyExc_TypeError, "tf must have an item of 1, 2 or 4 bytes for each of docs");
    PyBuffer_Release(&one->norm);
no_norm:
    PyBuffer_Release(&one->tf);
no_tf:
    PyBuffer_Release(&one->docs);
    return -1;
}

/* Read a sequence of (weight, docs uint32, tf uint8, uint16 or uint32, norm float64 of `size` documents, or any if < 0). */
static int group_of(PyObject *sequence, Group *group, Py_ssize_t size)
{
    group->count = 0;
    group->items = NULL;
    Py_ssize_t count = PySequence_Size(sequence);
    if (count < 0)
        return -1;
    group->items = PyMem_Calloc(count ? (size_t)count : 1, sizeof(Postings));
    if (!group->items) {
        PyErr_NoMemory();
        return -1;
    }
    for (Py_ssize_t at = 0; at < count; at++) {
        PyObject *item = PySequence_GetItem(sequence, at);
        int failed = read_postings(item, &group->items[at]);
        Py_XDECREF(item); /* the buffers keep what they need */
        if (failed) {
            release(group);
            return -1;
        }
        group->count++;
        if (size >= 0 && group->items[at].norm.len / 8 != size) {
            release(group);
            PyErr_SetString(PyExc_ValueError, "norm must have an item for each score");
            return -1;
        }
    }
    return 0;
}

static inline double frequency(const Postings *one, Py_ssize_t at)
{
    switch (one->tf.itemsize) {
    case 1:
        return ((const uint8_t *)one->tf.buf)[at];
    case 2:
        return ((const uint16_t *)one->tf.buf)[at];
    default:
        return ((const uint32_t *)one->tf.buf)[at];
    }
}

#define EACH_DOC(TYPE, BODY)                                            \
    {                                                                   \
        const TYPE *frequencies = one->tf.buf;                          \
        const double *norm = one->norm.buf;                             \
        for (Py_ssize_t at = 0; at < one->count; at++) {                \
            uint32_t doc = docs[at];                                    \
            if (doc >= size)                                            \
                return -1;                                              \
            double tf = frequencies[at];                                \
            double part = one->weight * (tf / (tf + norm[doc]));        \
            BODY                                                        \
        }                                                               \
    }

#define EACH(BODY)                                  \
    switch (one->tf.itemsize) {                     \
    case 1:                                         \
        EACH_DOC(uint8_t, BODY) break;              \
    case 2:                                         \
        EACH_DOC(uint16_t, BODY) break;             \
    default:                                        \
        EACH_DOC(uint32_t, BODY)                    \
    }

/* Add the scores of postings; return the greatest part, -1 for a document out of range. */
static double add_single(const Postings *one, double factor, double *scores, size_t size)
{
    const uint32_t *docs = one->docs.buf;
    double most = 0;
    EACH({
        most = part > most ? part : most;
        scores[doc] += factor * part;
    })
    return most;
}

static double best_parts(const Postings *one, double *best, size_t size)
{
    const uint32_t *docs = one->docs.buf;
    double most = 0;
    EACH({
        most = part > most ? part : most;
        best[doc] = part > best[doc] ? part : best[doc];
    })
    return most;
}

static double add_several(const Group *group, double factor, double *scores, double *best, size_t size)
{
    double most = 0;
    Py_ssize_t read = 0;
    for (; read < group->count && most >= 0; read++) {
        double own = best_parts(&group->items[read], best, size);
        most = own < 0 ? own : own > most ? own : most;
    }
    for (Py_ssize_t number = 0; number < read; number++) { /* the parts are cleared even if a document was out of range */
        const Postings *one = &group->items[number];
        const uint32_t *docs = one->docs.buf;
        for (Py_ssize_t at = 0; at < one->count; at++) {
            uint32_t doc = docs[at];
            if (doc < size) {
                scores[doc] += factor * best[doc];
                best[doc] = 0;
            }
        }
    }
    return most;
}

static PyObject *out_of_range(void)
{
    PyErr_SetString(PyExc_IndexError, "a document is out of range");
    return NULL;
}

static PyObject *kernel_add(PyObject *module, PyObject *args)
{
    PyObject *scores_of, *best_of, *postings, *result = NULL;
    double factor;
    Py_buffer scores, best;
    Group group;
    (void)module;
    if (!PyArg_ParseTuple(args, "OOOd", &scores_of, &best_of, &postings, &factor))
        return NULL;
    if (array_of(scores_of, &scores, 8, PyBUF_WRITABLE | PyBUF_ND, "scores") < 0)
        return NULL;
    if (array_of(best_of, &best, 8, PyBUF_WRITABLE | PyBUF_ND, "best") < 0)
        goto no_best;
    if (scores.len != best.len) {
        PyErr_SetString(PyExc_ValueError, "scores and best must be of one length");
        goto no_group;
    }
    if (group_of(postings, &group, scores.len / 8) < 0)
        goto no_group;
    size_t size = (size_t)(scores.len / 8);
    double most;
    Py_BEGIN_ALLOW_THREADS
    most = group.count == 1 ? add_single(group.items, factor, scores.buf, size)
                            : add_several(&group, factor, scores.buf, best.buf, size);
    Py_END_ALLOW_THREADS
    result = most < 0 ? out_of_range() : PyFloat_FromDouble(most);
    release(&group);
no_group:
    PyBuffer_Release(&best);
no_best:
    PyBuffer_Release(&scores);
    return result;
}

static void sink(double *heap, Py_ssize_t size, double value)
{
    Py_ssize_t at = 0;
    for (;;) {
        Py_ssize_t child = 2 * at + 1;
        if (child >= size)
            break;
        if (child + 1 < size && heap[child + 1] < heap[child])
            child++;
        if (heap[child] >= value)
            break;
        heap[at] = heap[child];
        at = child;
    }
    heap[at] = value;
}

/* Replace the least of the heap's values by each greater one. Runs of smaller ones are passed over eight at a time. */
static void greatest(const double *values, Py_ssize_t count, double *heap, Py_ssize_t limit)
{
    Py_ssize_t at = 0;
    for (; at + 8 <= count; at += 8) {
        const double *v = values + at;
        double least = heap[0];
        if ((v[0] > least) | (v[1] > least) | (v[2] > least) | (v[3] > least) | (v[4] > least) | (v[5] > least)
            | (v[6] > least) | (v[7] > least))
            for (int some = 0; some < 8; some++)
                if (v[some] > heap[0])
                    sink(heap, limit, v[some]);
    }
    for (; at < count; at++)
        if (values[at] > heap[0])
            sink(heap, limit, values[at]);
}

/* The most values that are kept in order: their size in bytes is far from the greatest number. */
static const Py_ssize_t MOST_KEPT = (Py_ssize_t)1 << (sizeof(Py_ssize_t) > 4 ? 40 : 27);

static PyObject *kernel_nth_greatest(PyObject *module, PyObject *args)
{
    PyObject *values_of;
    Py_ssize_t limit;
    double start, found;
    Py_buffer values;
    (void)module;
    if (!PyArg_ParseTuple(args, "Ond", &values_of, &limit, &start))
        return NULL;
    if (limit < 1 || limit > MOST_KEPT) {
        PyErr_SetString(PyExc_ValueError, "n must be at least 1, and at most 2^40");
        return NULL;
    }
    if (array_of(values_of, &values, 8, PyBUF_SIMPLE | PyBUF_ND, "values") < 0)
        return NULL;
    double *heap = PyMem_Malloc((size_t)limit * sizeof(double));
    if (!heap) {
        PyBuffer_Release(&values);
        return PyErr_NoMemory();
    }
    for (Py_ssize_t at = 0; at < limit; at++)
        heap[at] = start;
    Py_BEGIN_ALLOW_THREADS
    greatest(values.buf, values.len / 8, heap, limit);
    Py_END_ALLOW_THREADS
    found = heap[0];
    PyMem_Free(heap);
    PyBuffer_Release(&values);
    return PyFloat_FromDouble(found);
}

/* Return the position of the first document that is not less than `wanted`, from `at` on: galloping, then halving. */
static Py_ssize_t position(const uint32_t *docs, Py_ssize_t count, Py_ssize_t at, uint32_t wanted)
{
    Py_ssize_t step = 1, low = at, high = at;
    while (high < count && docs[high] < wanted) {
        low = high + 1;
        high += step;
        step *= 2;
    }
    if (high > count)
        high = count;
    while (low < high) {
        Py_ssize_t middle = low + (high - low) / 2;
        if (docs[middle] < wanted)
            low = middle + 1;
        else
            high = middle;
    }
    return low;
}

/* The best documents of a sum of groups: MaxScore, a group at a time.

   Groups are in the order of what they can add, greatest first. Each is added to all its documents until what the rest can
   add (`more`) is less than the n-th best score so far: from then on only the documents that can still be among the best
   are looked up, if this is less work than reading the rest of the postings. */

#define TIE 1e-8
#define SELDOM 8

typedef struct {
    double *scores;
    uint32_t *touched; /* documents with a score, each once */
    Py_ssize_t count;
    size_t size;
} Sums;

typedef struct {
    Group group;
    double factor;
    double bound; /* most that it adds */
    double most;  /* greatest part, where it was added to all; -1 elsewhere */
    Py_ssize_t size;
} Late;

static int touch_single(const Postings *one, Late *late, Sums *sums)
{
    const uint32_t *docs = one->docs.buf;
    double *scores = sums->scores, factor = late->factor, most = 0;
    uint32_t *touched = sums->touched;
    size_t size = sums->size;
    Py_ssize_t count = sums->count;
    EACH({
        double before = scores[doc];
        most = part > most ? part : most;
        touched[count] = doc; /* overwritten by the next one if it was there before */
        count += before == 0;
        if ((size_t)count > size)
            return -1; /* a damaged frequency of 0: the document is there again and again */
        scores[doc] = before + factor * part;
    })
    sums->count = count;
    late->most = most;
    return 0;
}

static int touch_several(Late *late, double *best, Sums *sums)
{
    double most = 0;
    for (Py_ssize_t number = 0; number < late->group.count; number++) {
        double own = best_parts(&late->group.items[number], best, sums->size);
        if (own < 0)
            return -1;
        most = own > most ? own : most;
    }
    for (Py_ssize_t number = 0; number < late->group.count; number++) {
        const Postings *one = &late->group.items[number];
        const uint32_t *docs = one->docs.buf;
        for (Py_ssize_t at = 0; at < one->count; at++) {
            uint32_t doc = docs[at];
            if (best[doc] == 0)
                continue;
            sums->touched[sums->count] = doc;
            sums->count += sums->scores[doc] == 0;
            if ((size_t)sums->count > sums->size)
                return -1;
            sums->scores[doc] += late->factor * best[doc];
            best[doc] = 0;
        }
    }
    late->most = most;
    return 0;
}

/* Return the n-th best score of the documents touched, 0 if there are fewer. */
static double least_of_best(const Sums *sums, double *heap, Py_ssize_t limit)
{
    for (Py_ssize_t at = 0; at < limit; at++)
        heap[at] = 0;
    for (Py_ssize_t at = 0; at < sums->count; at++) {
        double score = sums->scores[sums->touched[at]];
        if (score > heap[0])
            sink(heap, limit, score);
    }
    return heap[0];
}

/* Keep the documents with a score of at least `least`. */
static void keep(Sums *sums, double least)
{
    Py_ssize_t kept = 0;
    for (Py_ssize_t at = 0; at < sums->count; at++) {
        uint32_t doc = sums->touched[at];
        sums->touched[kept] = doc;
        kept += sums->scores[doc] >= least;
    }
    sums->count = kept;
}

/* Put the documents kept in ascending order, by way of a bit for each document. */
static int ascending(Sums *sums)
{
    size_t words = sums->size / 64 + 1;
    uint64_t *bits = calloc(words, sizeof(uint64_t));
    if (!bits)
        return -1;
    for (Py_ssize_t at = 0; at < sums->count; at++)
        bits[sums->touched[at] / 64] |= (uint64_t)1 << (sums->touched[at] % 64);
    Py_ssize_t count = 0;
    for (size_t word = 0; word < words; word++)
        for (uint64_t rest = bits[word], at = word * 64; rest; rest >>= 1, at++)
            if (rest & 1)
                sums->touched[count++] = (uint32_t)at;
    free(bits);
    return 0;
}

static int look_up(const Late *late, Sums *sums)
{
    const Group *group = &late->group;
    Py_ssize_t *reached = calloc((size_t)group->count + 1, sizeof(Py_ssize_t));
    if (!reached)
        return -1;
    for (Py_ssize_t number = 0; number < sums->count; number++) {
        uint32_t doc = sums->touched[number];
        double best = 0;
        for (Py_ssize_t which = 0; which < group->count; which++) {
            const Postings *one = &group->items[which];
            const uint32_t *docs = one->docs.buf;
            Py_ssize_t at = position(docs, one->count, reached[which], doc);
            reached[which] = at;
            if (at < one->count && docs[at] == doc) {
                double tf = frequency(one, at);
                double part = one->weight * (tf / (tf + ((const double *)one->norm.buf)[doc]));
                best = part > best ? part : best;
            }
        }
        sums->scores[doc] += late->factor * best;
    }
    free(reached);
    return 0;
}

/* Return 0, -1 for a document out of range, -2 without memory. */
static int best_sums(Late *lates, Py_ssize_t count, Py_ssize_t limit, double preferred, double *heap, Sums *sums)
{
    double more = preferred, added = 0, *best = NULL;
    Py_ssize_t left = 0;
    int is_looked_up = 0, failed = 0;
    for (Py_ssize_t number = 0; number < count; number++) {
        more += lates[number].bound;
        left += lates[number].size;
    }
    for (Py_ssize_t number = 0; number < count && !failed; number++) {
        Late *late = &lates[number];
        if (!is_looked_up && sums->count >= limit && left > sums->count / SELDOM && (number == 0 || added > more)) {
            double least = least_of_best(sums, heap, limit) - more - TIE;
            if (least > 0) {
                Py_ssize_t many = 0;
                for (Py_ssize_t at = 0; at < sums->count; at++)
                    many += sums->scores[sums->touched[at]] >= least;
                if (many * SELDOM < left) {
                    keep(sums, least);
                    if (ascending(sums) < 0) {
                        free(best);
                        return -2;
                    }
                    is_looked_up = 1;
                }
            }
        }
        if (is_looked_up) {
            failed = look_up(late, sums) < 0 ? -2 : 0;
        } else if (late->group.count == 1) {
            failed = touch_single(late->group.items, late, sums);
        } else if (late->group.count) {
            if (!best && !(best = calloc(sums->size ? sums->size : 1, sizeof(double))))
                return -2;
            failed = touch_several(late, best, sums);
        }
        left -= late->size;
        more -= late->bound;
        added += late->bound;
        if (is_looked_up && !failed && sums->count > 2 * limit) {
            double least = least_of_best(sums, heap, limit) - more - TIE;
            if (least > 0)
                keep(sums, least);
        }
    }
    free(best);
    if (!failed) {
        double least = least_of_best(sums, heap, limit) - preferred - TIE;
        if (least > 0)
            keep(sums, least);
    }
    return failed;
}

static int lates_of(PyObject *sequence, Py_ssize_t size, Late *lates, Py_ssize_t *count)
{
    Py_ssize_t length = PySequence_Size(sequence);
    for (*count = 0; *count < length;) {
        Late *late = &lates[*count];
        PyObject *item = PySequence_GetItem(sequence, *count);
        PyObject *postings;
        int failed = !item || !PyArg_ParseTuple(item, "Odd", &postings, &late->factor, &late->bound)
            || group_of(postings, &late->group, size) < 0;
        Py_XDECREF(item);
        if (failed)
            return -1;
        late->most = -1;
        late->size = 0;
        for (Py_ssize_t at = 0; at < late->group.count; at++)
            late->size += late->group.items[at].count;
        ++*count;
    }
    return 0;
}

static PyObject *best_of_sums(const Sums *sums, const Late *lates, Py_ssize_t count)
{
    PyObject *docs = PyBytes_FromStringAndSize(NULL, sums->count * 8);
    PyObject *scores = PyBytes_FromStringAndSize(NULL, sums->count * 8);
    PyObject *most = PyList_New(count);
    if (docs && scores && most) {
        int64_t *doc = (int64_t *)PyBytes_AsString(docs);
        double *score = (double *)PyBytes_AsString(scores);
        for (Py_ssize_t at = 0; at < sums->count; at++) {
            doc[at] = sums->touched[at];
            score[at] = sums->scores[sums->touched[at]];
        }
        for (Py_ssize_t at = 0; at < count; at++)
            PyList_SetItem(most, at, PyFloat_FromDouble(lates[at].most));
        return Py_BuildValue("(NNN)", docs, scores, most);
    }
    Py_XDECREF(docs);
    Py_XDECREF(scores);
    Py_XDECREF(most);
    return NULL;
}

static PyObject *kernel_top(PyObject *module, PyObject *args)
{
    PyObject *scores_of, *groups, *result = NULL;
    Py_ssize_t limit, length, count = 0;
    double preferred;
    int is_empty, failed;
    Py_buffer scores;
    (void)module;
    if (!PyArg_ParseTuple(args, "OpOnd", &scores_of, &is_empty, &groups, &limit, &preferred))
        return NULL;
    if (limit < 1 || limit > MOST_KEPT)
        return PyErr_SetString(PyExc_ValueError, "limit must be at least 1, and at most 2^40"), NULL;
    if ((length = PySequence_Size(groups)) < 0)
        return NULL;
    if (array_of(scores_of, &scores, 8, PyBUF_WRITABLE | PyBUF_ND, "scores") < 0)
        return NULL;
    Sums sums = {scores.buf, NULL, 0, (size_t)(scores.len / 8)};
    sums.touched = malloc((sums.size + 1) * sizeof(uint32_t));
    Late *lates = calloc((size_t)length + 1, sizeof(Late));
    double *heap = malloc((size_t)limit * sizeof(double));
    if (!sums.touched || !lates || !heap) {
        PyErr_NoMemory();
        goto end;
    }
    if (lates_of(groups, scores.len / 8, lates, &count) < 0)
        goto end;
    Py_BEGIN_ALLOW_THREADS
    if (!is_empty)
        for (size_t doc = 0; doc < sums.size; doc++) {
            sums.touched[sums.count] = (uint32_t)doc;
            sums.count += sums.scores[doc] != 0;
        }
    failed = best_sums(lates, count, limit, preferred, heap, &sums);
    Py_END_ALLOW_THREADS
    if (failed == -2)
        PyErr_NoMemory();
    else
        result = failed ? out_of_range() : best_of_sums(&sums, lates, count);
end:
    for (Py_ssize_t at = 0; lates && at < count; at++)
        release(&lates[at].group);
    free(lates);
    free(heap);
    free(sums.touched);
    PyBuffer_Release(&scores);
    return result;
}

/* `starts` has the first passage of each article, and the number of passages behind the last. */
static int has_runs(const Py_buffer *starts, Py_ssize_t articles, Py_ssize_t passages)
{
    const int64_t *at = starts->buf;
    if (starts->len / 8 != articles + 1 || at[0] != 0 || at[articles] != passages)
        return 0;
    for (Py_ssize_t article = 0; article < articles; article++)
        if (at[article] > at[article + 1])
            return 0;
    return 1;
}

typedef void Levels(double *articles, const int64_t *starts, Py_ssize_t count, double *passages);

static void greatest_of_runs(double *articles, const int64_t *starts, Py_ssize_t count, double *passages)
{
    for (Py_ssize_t article = 0; article < count; article++) {
        double most = articles[article];
        for (int64_t at = starts[article]; at < starts[article + 1]; at++)
            most = passages[at] > most ? passages[at] : most;
        articles[article] = most;
    }
}

static void add_to_runs(double *articles, const int64_t *starts, Py_ssize_t count, double *passages)
{
    for (Py_ssize_t article = 0; article < count; article++) {
        double value = articles[article];
        if (value != 0)
            for (int64_t at = starts[article]; at < starts[article + 1]; at++)
                passages[at] += value;
    }
}

static PyObject *levels(PyObject *args, Levels *apply)
{
    PyObject *articles_of, *starts_of, *passages_of, *result = NULL;
    Py_buffer articles, starts, passages;
    if (!PyArg_ParseTuple(args, "OOO", &articles_of, &starts_of, &passages_of))
        return NULL;
    if (array_of(articles_of, &articles, 8, PyBUF_WRITABLE | PyBUF_ND, "articles") < 0)
        return NULL;
    if (array_of(starts_of, &starts, 8, PyBUF_SIMPLE | PyBUF_ND, "starts") < 0)
        goto no_starts;
    if (array_of(passages_of, &passages, 8, PyBUF_WRITABLE | PyBUF_ND, "passages") < 0)
        goto no_passages;
    if (!has_runs(&starts, articles.len / 8, passages.len / 8)) {
        PyErr_SetString(PyExc_ValueError, "starts do not divide the passages among the articles");
    } else {
        Py_BEGIN_ALLOW_THREADS
        apply(articles.buf, starts.buf, articles.len / 8, passages.buf);
        Py_END_ALLOW_THREADS
        result = Py_NewRef(Py_None);
    }
    PyBuffer_Release(&passages);
no_passages:
    PyBuffer_Release(&starts);
no_starts:
    PyBuffer_Release(&articles);
    return result;
}

static PyObject *kernel_max_of_runs(PyObject *module, PyObject *args)
{
    (void)module;
    return levels(args, greatest_of_runs);
}

static PyObject *kernel_add_to_runs(PyObject *module, PyObject *args)
{
    (void)module;
    return levels(args, add_to_runs);
}

/* A term's postings in all segments, joined.

   A table is (hashes, text, text_at, at, crcs, units, tf, checked, first): the columns of a field in a segment (`columns.py`),
   a byte for each term whose checksum was right, and the number of the segment's first document. The tables of a field are
   opened once: a capsule holds their buffers. */

enum { HASHES, TEXT, TEXT_AT, AT, CRCS, UNITS, TF, CHECKED, BUFFERS };

typedef struct {
    Py_buffer views[BUFFERS];
    int count;
    unsigned int first;
} Table;

typedef struct {
    Py_ssize_t count;
    Table items[];
} Tables;

/* A term's postings in a table. */
typedef struct {
    Py_ssize_t start, end;
} Extent;

static const char *const CAPSULE = "htxsearch.engine.whoosh._kernel.tables";

static void release_table(Table *table)
{
    while (table->count)
        PyBuffer_Release(&table->views[--table->count]);
}

static void release_tables(Tables *tables)
{
    for (Py_ssize_t at = 0; at < tables->count; at++)
        release_table(&tables->items[at]);
    free(tables);
}

static void release_capsule(PyObject *capsule)
{
    Tables *tables = PyCapsule_GetPointer(capsule, CAPSULE);
    if (tables)
        release_tables(tables);
}

static int table_of(PyObject *item, Table *table)
{
    PyObject *parts[BUFFERS];
    if (!PyArg_ParseTuple(item, "OOOOOOOOI", &parts[0], &parts[1], &parts[2], &parts[3], &parts[4], &parts[5], &parts[6],
                          &parts[7], &table->first))
        return -1;
    for (; table->count < BUFFERS; table->count++) {
        Py_buffer *view = &table->views[table->count];
        int flags = table->count == CHECKED ? PyBUF_WRITABLE : PyBUF_ND;
        if (PyObject_GetBuffer(parts[table->count], view, flags) < 0)
            return -1;
    }
    for (int which = 0; which < BUFFERS; which++) {
        Py_ssize_t size = table->views[which].itemsize;
        int is_right = which == HASHES || which == TEXT_AT || which == AT || which == CRCS ? size == 4
            : which == TEXT || which == CHECKED                                            ? size == 1
                                                                                           : size == 1 || size == 2 || size == 4;
        if (!is_right) {
            PyErr_SetString(PyExc_TypeError, "a column has items of another size");
            return -1;
        }
    }
    return 0;
}

static PyObject *kernel_open_tables(PyObject *module, PyObject *sequence)
{
    (void)module;
    Py_ssize_t count = PySequence_Size(sequence);
    if (count < 0)
        return NULL;
    Tables *tables = calloc(1, sizeof(Tables) + (size_t)count * sizeof(Table));
    if (!tables)
        return PyErr_NoMemory();
    while (tables->count < count) {
        PyObject *item = PySequence_GetItem(sequence, tables->count);
        int failed = !item || table_of(item, &tables->items[tables->count++]) < 0;
        Py_XDECREF(item);
        if (failed) {
            release_tables(tables);
            return NULL;
        }
    }
    PyObject *capsule = PyCapsule_New(tables, CAPSULE, release_capsule);
    if (!capsule)
        release_tables(tables);
    return capsule;
}

/* CRC-32 by four bits at a time: for the few bytes of a rare term it is sooner done than zlib called. */
enum { FEW_BYTES = 64 };

static uint32_t crc_of_few(const uint8_t *bytes, Py_ssize_t size, uint32_t before)
{
    static const uint32_t nibbles[16] = {
        0x00000000, 0x1db71064, 0x3b6e20c8, 0x26d930ac, 0x76dc4190, 0x6b6b51f4, 0x4db26158, 0x5005713c,
        0xedb88320, 0xf00f9344, 0xd6d6a3e8, 0xcb61b38c, 0x9b64c2b0, 0x86d3d2d4, 0xa00ae278, 0xbdbdf21c,
    };
    uint32_t crc = ~before;
    for (Py_ssize_t at = 0; at < size; at++) {
        crc = (crc >> 4) ^ nibbles[(crc ^ bytes[at]) & 15];
        crc = (crc >> 4) ^ nibbles[(crc ^ (uint32_t)(bytes[at] >> 4)) & 15];
    }
    return ~crc;
}

/* Return the checksum of bytes that follow others with the checksum `before`; -1 with an exception set. */
static int64_t checksum(PyObject *crc32, const Py_buffer *view, Py_ssize_t start, Py_ssize_t end, uint32_t before)
{
    Py_ssize_t size = view->itemsize;
    char *first = (char *)view->buf + start * size;
    if ((end - start) * size <= FEW_BYTES)
        return crc_of_few((const uint8_t *)first, (end - start) * size, before);
    PyObject *bytes = PyMemoryView_FromMemory(first, (end - start) * size, PyBUF_READ);
    PyObject *start_value = bytes ? PyLong_FromUnsignedLong(before) : NULL;
    PyObject *found = start_value ? PyObject_CallFunctionObjArgs(crc32, bytes, start_value, NULL) : NULL;
    Py_XDECREF(bytes);
    Py_XDECREF(start_value);
    if (!found)
        return -1;
    int64_t crc = PyLong_AsLongLong(found);
    Py_DECREF(found);
    return crc;
}

/* Return the place of the first hash that is not smaller. Hashes are spread evenly, so the search begins where it should be. */
static Py_ssize_t place_of_hash(const uint32_t *hashes, Py_ssize_t count, uint32_t wanted)
{
    Py_ssize_t at = (Py_ssize_t)(((uint64_t)wanted * (uint64_t)count) >> 32), step = 1;
    while (at > 0 && hashes[at - 1] >= wanted) {
        at = at > step ? at - step : 0;
        step *= 2;
    }
    return position(hashes, count, at, wanted);
}

/* Find a term. Return 1 if it is there, 0 if not, -1 if the columns are damaged, -2 with an exception set. */
static int find_term(Table *table, const char *term, Py_ssize_t length, uint32_t hash, PyObject *crc32, Extent *found)
{
    const uint32_t *hashes = table->views[HASHES].buf, *text_at = table->views[TEXT_AT].buf;
    Py_ssize_t terms = table->views[HASHES].len / 4;
    if (table->views[TEXT_AT].len / 4 != terms + 1 || table->views[AT].len / 4 != terms + 1
        || table->views[CRCS].len / 4 != terms || table->views[CHECKED].len < terms)
        return -1;
    for (Py_ssize_t at = place_of_hash(hashes, terms, hash); at < terms && hashes[at] == hash; at++) {
        uint32_t from = text_at[at], to = text_at[at + 1];
        if (from > to || (Py_ssize_t)to > table->views[TEXT].len)
            return -1;
        if (to - from != (size_t)length || memcmp((const char *)table->views[TEXT].buf + from, term, (size_t)length))
            continue;
        const uint32_t *ends = table->views[AT].buf;
        found->start = ends[at];
        found->end = ends[at + 1];
        if (found->start > found->end || found->end > table->views[UNITS].len / table->views[UNITS].itemsize
            || found->end > table->views[TF].len / table->views[TF].itemsize)
            return -1;
        char *checked = table->views[CHECKED].buf;
        if (!checked[at]) {
            int64_t crc = checksum(crc32, &table->views[UNITS], found->start, found->end, 0);
            if (crc >= 0)
                crc = checksum(crc32, &table->views[TF], found->start, found->end, (uint32_t)crc);
            if (crc < 0)
                return -2;
            if ((uint32_t)crc != ((const uint32_t *)table->views[CRCS].buf)[at])
                return -1;
            checked[at] = 1;
        }
        return 1;
    }
    return 0;
}

#define COPY(FROM, TO, ADDED)                                   \
    {                                                           \
        const FROM *values = (const FROM *)view->buf + start;   \
        TO *copies = (TO *)to;                                  \
        for (Py_ssize_t at = 0; at < count; at++)               \
            copies[at] = (TO)(values[at] + ADDED);              \
    }

#define COPY_FROM(TO, ADDED)                                            \
    if (view->itemsize == 1)                                            \
        COPY(uint8_t, TO, ADDED)                                        \
    else if (view->itemsize == 2)                                       \
        COPY(uint16_t, TO, ADDED)                                       \
    else                                                                \
        COPY(uint32_t, TO, ADDED)

static void copy(const Py_buffer *view, Py_ssize_t start, Py_ssize_t count, void *to, int width, uint32_t added)
{
    if (width == 1)
        COPY_FROM(uint8_t, added)
    else if (width == 2)
        COPY_FROM(uint16_t, added)
    else
        COPY_FROM(uint32_t, added)
}

static uint32_t greatest_item(const Py_buffer *view, Py_ssize_t start, Py_ssize_t count)
{
    uint32_t most = 0;
    if (view->itemsize == 1) {
        const uint8_t *values = (const uint8_t *)view->buf + start;
        uint8_t greatest_byte = 0;
        for (Py_ssize_t at = 0; at < count; at++)
            greatest_byte = values[at] > greatest_byte ? values[at] : greatest_byte;
        return greatest_byte;
    }
    for (Py_ssize_t at = start; at < start + count; at++) {
        uint32_t value = view->itemsize == 2 ? ((const uint16_t *)view->buf)[at] : ((const uint32_t *)view->buf)[at];
        most = value > most ? value : most;
    }
    return most;
}

static PyObject *slice_of(const Py_buffer *view, const Extent *extent)
{
    return PySequence_GetSlice(view->obj, extent->start, extent->end);
}

static PyObject *joined(const Tables *tables, const Extent *extents)
{
    Py_ssize_t size = 0, behind = 0, only = -1, found = 0;
    uint32_t most = 0;
    for (Py_ssize_t which = 0; which < tables->count; which++) {
        Py_ssize_t own = extents[which].end - extents[which].start;
        uint32_t greatest_own = greatest_item(&tables->items[which].views[TF], extents[which].start, own);
        most = greatest_own > most ? greatest_own : most;
        size += own;
        only = own ? which : only;
        found += own > 0;
    }
    if (found == 1 && tables->items[only].first == 0 && tables->items[only].views[UNITS].itemsize == 4) {
        const Py_buffer *views = tables->items[only].views; /* they are the column's own, nothing is copied */
        return Py_BuildValue("(NNIi)", slice_of(&views[UNITS], &extents[only]), slice_of(&views[TF], &extents[only]), most,
                             (int)views[TF].itemsize);
    }
    int width = most < 256 ? 1 : most < 65536 ? 2 : 4;
    PyObject *docs = PyBytes_FromStringAndSize(NULL, size * 4), *tf = PyBytes_FromStringAndSize(NULL, size * width);
    if (!docs || !tf) {
        Py_XDECREF(docs);
        Py_XDECREF(tf);
        return NULL;
    }
    for (Py_ssize_t which = 0; which < tables->count; which++) {
        const Table *table = &tables->items[which];
        Py_ssize_t start = extents[which].start, own = extents[which].end - start;
        copy(&table->views[UNITS], start, own, PyBytes_AsString(docs) + behind * 4, 4, table->first);
        copy(&table->views[TF], start, own, PyBytes_AsString(tf) + behind * width, width, 0);
        behind += own;
    }
    return Py_BuildValue("(NNIi)", docs, tf, most, width);
}

static PyObject *kernel_join(PyObject *module, PyObject *args)
{
    PyObject *capsule, *crc32, *result = NULL;
    const char *term;
    Py_ssize_t length;
    unsigned int hash;
    int found = 0;
    (void)module;
    if (!PyArg_ParseTuple(args, "Oy#IO", &capsule, &term, &length, &hash, &crc32))
        return NULL;
    Tables *tables = PyCapsule_GetPointer(capsule, CAPSULE);
    if (!tables)
        return NULL;
    Extent *extents = calloc((size_t)tables->count + 1, sizeof(Extent));
    if (!extents)
        return PyErr_NoMemory();
    for (Py_ssize_t which = 0; which < tables->count && found >= 0; which++)
        found = find_term(&tables->items[which], term, length, hash, crc32, &extents[which]);
    if (found == -1)
        result = Py_NewRef(Py_None);
    else if (found >= 0)
        result = joined(tables, extents);
    free(extents);
    return result;
}

/* The tokens of articles, read from a segment's file.

   An article is a run of documents, its title first; a document of n tokens is n hashes of four bytes, then n flags. pread, not
   the mapped file: a page that is mapped for a single read costs more than the read. The GIL is kept, or every read would queue
   to get it back. */

#ifdef _WIN32
static PyObject *kernel_gather(PyObject *module, PyObject *args)
{
    (void)module;
    (void)args;
    Py_RETURN_NONE;
}
#else
static int read_all(int file, char *to, int64_t size, int64_t at)
{
    while (size > 0) {
        ssize_t got = pread(file, to, (size_t)size, (off_t)at);
        if (got < 0 && errno == EINTR)
            continue;
        if (got < 0) {
            PyErr_SetFromErrno(PyExc_OSError);
            return -1;
        }
        if (got == 0) {
            PyErr_SetString(PyExc_ValueError, "the file ends before an article's tokens");
            return -1;
        }
        to += got;
        at += got;
        size -= got;
    }
    return 0;
}

static PyObject *gathered(int file, const int64_t *starts, const int64_t *runs, Py_ssize_t articles, const int64_t *counts,
                          Py_ssize_t documents)
{
    int64_t of_titles = 0, of_passages = 0, longest = 0, at = 0;
    struct stat found;
    if (fstat(file, &found) < 0)
        return PyErr_SetFromErrno(PyExc_OSError);
    int64_t most = (int64_t)found.st_size / 5; /* tokens, of an article */
    for (Py_ssize_t article = 0; article < articles; article++) {
        int64_t own = 0;
        if (runs[article] < 1 || runs[article] > documents - at)
            return PyErr_SetString(PyExc_ValueError, "runs do not divide the documents among the articles"), NULL;
        for (int64_t document = 0; document < runs[article]; document++, at++) {
            if (counts[at] < 0 || counts[at] > most)
                return PyErr_SetString(PyExc_ValueError, "a document has too many tokens"), NULL;
            own += counts[at];
            *(document ? &of_passages : &of_titles) += counts[at];
        }
        longest = own > longest ? own : longest;
        if (starts[article] < 0 || own > most)
            return PyErr_SetString(PyExc_ValueError, "an article has too many tokens"), NULL;
    }
    PyObject *titles = PyBytes_FromStringAndSize(NULL, of_titles * 4), *hashes = PyBytes_FromStringAndSize(NULL, of_passages * 4);
    PyObject *flags = PyBytes_FromStringAndSize(NULL, of_passages), *result = NULL;
    PyObject *title_flags = PyBytes_FromStringAndSize(NULL, of_titles);
    char *packed = malloc((size_t)longest * 5 + 1);
    if (!titles || !title_flags || !hashes || !flags || !packed) {
        PyErr_NoMemory();
        goto end;
    }
    char *to_titles = PyBytes_AsString(titles), *to_hashes = PyBytes_AsString(hashes), *to_flags = PyBytes_AsString(flags);
    char *to_title_flags = PyBytes_AsString(title_flags);
    const int64_t *count = counts;
    for (Py_ssize_t article = 0; article < articles; article++) {
        int64_t size = 0;
        for (int64_t document = 0; document < runs[article]; document++)
            size += count[document] * 5;
        if (read_all(file, packed, size, starts[article]) < 0)
            goto end;
        const char *from = packed;
        for (int64_t document = 0; document < runs[article]; document++, count++) {
            char **to = document ? &to_hashes : &to_titles;
            memcpy(*to, from, (size_t)*count * 4);
            *to += *count * 4;
            char **to_own = document ? &to_flags : &to_title_flags;
            memcpy(*to_own, from + *count * 4, (size_t)*count);
            *to_own += *count;
            from += *count * 5;
        }
    }
    result = Py_BuildValue("(OOOO)", titles, title_flags, hashes, flags);
end:
    free(packed);
    Py_XDECREF(titles);
    Py_XDECREF(title_flags);
    Py_XDECREF(hashes);
    Py_XDECREF(flags);
    return result;
}

static PyObject *kernel_gather(PyObject *module, PyObject *args)
{
    PyObject *starts_of, *runs_of, *counts_of, *result = NULL;
    Py_buffer starts, runs, counts;
    int file;
    (void)module;
    if (!PyArg_ParseTuple(args, "iOOO", &file, &starts_of, &runs_of, &counts_of))
        return NULL;
    if (array_of(starts_of, &starts, 8, PyBUF_SIMPLE | PyBUF_ND, "starts") < 0)
        return NULL;
    if (array_of(runs_of, &runs, 8, PyBUF_SIMPLE | PyBUF_ND, "runs") < 0)
        goto no_runs;
    if (array_of(counts_of, &counts, 8, PyBUF_SIMPLE | PyBUF_ND, "counts") < 0)
        goto no_counts;
    if (starts.len != runs.len)
        PyErr_SetString(PyExc_ValueError, "each article has a start and a run");
    else
        result = gathered(file, starts.buf, runs.buf, runs.len / 8, counts.buf, counts.len / 8);
    PyBuffer_Release(&counts);
no_counts:
    PyBuffer_Release(&runs);
no_runs:
    PyBuffer_Release(&starts);
    return result;
}
#endif

static PyMethodDef functions[] = {
    {"gather", kernel_gather, METH_VARARGS, "See kernel.py."},
    {"add", kernel_add, METH_VARARGS, "See kernel.py."},
    {"open_tables", kernel_open_tables, METH_O, "See kernel.py."},
    {"join", kernel_join, METH_VARARGS, "See kernel.py."},
    {"top", kernel_top, METH_VARARGS, "See kernel.py."},
    {"nth_greatest", kernel_nth_greatest, METH_VARARGS, "See kernel.py."},
    {"max_of_runs", kernel_max_of_runs, METH_VARARGS, "See kernel.py."},
    {"add_to_runs", kernel_add_to_runs, METH_VARARGS, "See kernel.py."},
    {NULL, NULL, 0, NULL},
};

static int add_constants(PyObject *module)
{
    return PyModule_AddIntConstant(module, "INTERFACE", 4);
}

static PyModuleDef_Slot slots[] = {{Py_mod_exec, (void *)add_constants}, {0, NULL}};

static struct PyModuleDef definition = {
    PyModuleDef_HEAD_INIT, "htxsearch.engine.whoosh._kernel", "The inner loops of scoring.", 0, functions, slots,
    NULL, NULL, NULL,
};

PyMODINIT_FUNC PyInit__kernel(void)
{
    return PyModuleDef_Init(&definition);
}
