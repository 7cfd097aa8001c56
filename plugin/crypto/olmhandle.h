// SPDX-License-Identifier: Apache-2.0
// One libolm object in memory of our own, wiped when it goes. Private to the backend over libolm.
#pragma once

#include "crypto/encoding.h"
#include "crypto/outcome.h"
#include "crypto/secret.h"

#include <memory>
#include <olm/olm.h>

namespace voip::crypto::olm
{

// How libolm handles one kind of object.
template <typename T>
struct Kind;

// NOLINTBEGIN(bugprone-macro-parentheses): the arguments are a type and names
#define VOIP_OLM_KIND(TYPE, NAME, MAKE)                                                                                \
    template <>                                                                                                        \
    struct Kind<TYPE> {                                                                                                \
        static std::size_t size() { return olm_##NAME##_size(); }                                                      \
        static TYPE *make(void *memory) { return MAKE(memory); }                                                       \
        static void clear(TYPE *object) { olm_clear_##NAME(object); }                                                  \
        static OlmErrorCode error(const TYPE *object) { return olm_##NAME##_last_error_code(object); }                 \
        static std::size_t pickleSize(TYPE *object) { return olm_pickle_##NAME##_length(object); }                     \
        static std::size_t pickle(TYPE *object, const void *key, std::size_t keySize, void *out, std::size_t size)     \
        {                                                                                                              \
            return olm_pickle_##NAME(object, key, keySize, out, size);                                                 \
        }                                                                                                              \
        static std::size_t unpickle(TYPE *object, const void *key, std::size_t keySize, void *in, std::size_t size)    \
        {                                                                                                              \
            return olm_unpickle_##NAME(object, key, keySize, in, size);                                                \
        }                                                                                                              \
    };
VOIP_OLM_KIND(::OlmAccount, account, olm_account)
VOIP_OLM_KIND(::OlmSession, session, olm_session)
VOIP_OLM_KIND(::OlmOutboundGroupSession, outbound_group_session, olm_outbound_group_session)
VOIP_OLM_KIND(::OlmInboundGroupSession, inbound_group_session, olm_inbound_group_session)
// NOLINTEND(bugprone-macro-parentheses)
#undef VOIP_OLM_KIND

[[nodiscard]] Fault faultOf(OlmErrorCode code);

// Randomness for one call of libolm: the right number of bytes, or none.
[[nodiscard]] Outcome<Secret> draw(std::size_t size, const Random &random);

template <typename T>
class Handle
{
public:
    Handle() : m_memory(new std::byte[Kind<T>::size()]), m_object(Kind<T>::make(m_memory.get())) {}
    Handle(Handle &&other) noexcept
        : m_memory(std::move(other.m_memory)), m_object(std::exchange(other.m_object, nullptr))
    {
    }
    Handle(const Handle &) = delete;
    Handle &operator=(const Handle &) = delete;
    Handle &operator=(Handle &&) = delete;
    ~Handle()
    {
        if (m_object)
            Kind<T>::clear(m_object);
    }

    [[nodiscard]] T *get() const { return m_object; }
    [[nodiscard]] Fault fault() const { return faultOf(Kind<T>::error(m_object)); }

    [[nodiscard]] Outcome<Secret> pickle() const
    {
        Secret out(Kind<T>::pickleSize(m_object));
        if (Kind<T>::pickle(m_object, label, sizeof(label), out.data(), out.size()) == olm_error())
            return fault();
        return out;
    }
    [[nodiscard]] static Outcome<Handle> from(const Secret &pickle)
    {
        Handle handle;
        Secret scratch = pickle.clone(); // libolm decodes in place
        if (Kind<T>::unpickle(handle.m_object, label, sizeof(label), scratch.data(), scratch.size()) == olm_error())
            return Fault::BadPickle;
        return handle;
    }

private:
    // No secret: pickles are sealed by us (seal.h).
    static constexpr char label[] = {'v', 'o', 'i', 'p'};

    std::unique_ptr<std::byte[]> m_memory;
    T *m_object;
};

} // namespace voip::crypto::olm
