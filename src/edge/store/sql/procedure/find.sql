-- procedure_find
SELECT code, name, by_post, receiver_policy, takes_back_old FROM procedure WHERE code = $1
